/** Two organisations with services of the same names: nothing of one is anything to the other. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Answer, type Gateway, STAYS_CLOSED } from '../support/gateway.ts'
import { openLegacySession } from '../support/legacy-session.ts'
import { type ModernCall, modernCall } from '../support/modern-call.ts'
import { by, makeKey, makeOrganisation, makeUser } from '../support/people.ts'
import { startStack, type Stack } from '../support/stack.ts'
import { TASKS_EXTENSION } from '../support/task.ts'
import { startUpstream, type Upstream } from '../support/upstream.ts'

const NAMES = ['a', 'b'] as const
type Name = (typeof NAMES)[number]
type Side = { readonly admin: string; readonly agent: string; readonly upstream: Upstream }

let stack: Stack
let gateway: Gateway
const sides = {} as Record<Name, Side>

beforeAll(async () => {
  stack = await startStack()
  gateway = await stack.gateway()
  await Promise.all(NAMES.map(openSide))
}, 120_000)

async function openSide(name: Name): Promise<void> {
  const admin = await makeOrganisation(gateway, `org-${name}`)
  const own = { name: `only-${name}`, inputSchema: { type: 'object' } }
  const upstream = await startUpstream({ era: 'legacy', stateful: true, tools: [own] })
  const services: Record<string, Upstream> = { x: upstream, paged: await startUpstream({ tools: MANY }) }
  if (name === 'a') services['task'] = await startUpstream({ era: 'modern', runsTasks: true })
  for (const [service, { url }] of Object.entries(services)) {
    const registration = { name: service, url, ...STAYS_CLOSED }
    const { status, text } = await gateway.manage('POST', '/api/v1/servers', registration, by(admin))
    expect([status, text]).toEqual([201, expect.any(String)])
  }
  closing.push(...Object.values(services))
  const { key: agent } = await makeKey(gateway, {}, admin)
  sides[name] = { admin, agent, upstream }
}

/** With those of `x` more than one page. */
const MANY = Array.from({ length: 990 }, (_, at) => ({ name: `t${at}`, inputSchema: { type: 'object' } }))
const closing: Upstream[] = []
afterAll(async () => {
  await stack.close()
  await Promise.all(closing.map((upstream) => upstream.stop()))
})

const call = (who: Name, tool: string, rest: ModernCall = {}): Promise<Answer> =>
  gateway.fetch('/mcp', modernCall(tool, { ...rest, token: sides[who].agent }))
const legacy = (
  who: Name,
  method: string,
  params: object,
  headers: Record<string, string> = {},
): Promise<Answer> =>
  gateway.rpc(method, params, { headers: { authorization: `Bearer ${sides[who].agent}`, ...headers } })

it('S22 200 interleaved calls of two organisations with the same ids: every answer goes to its asker', async () => {
  const asked = Array.from({ length: 100 }, (_, id) => id).flatMap((id) =>
    NAMES.map(async (who) => {
      const text = `${who} ${id}`
      const { body } = await call(who, 'x__echo', { id, arguments: { text } })
      expect(body).toMatchObject({ id, result: { content: [{ text }] } })
    }),
  )
  await Promise.all(asked)
  for (const who of NAMES) {
    const texts = sides[who].upstream
      .calls('tools/call')
      .map(({ message }) => JSON.stringify(message?.params))
    expect(texts.filter((text) => text.includes(`"${who} `))).toHaveLength(100)
    expect(texts.filter((text) => text.includes(`"${who === 'a' ? 'b' : 'a'} `))).toEqual([])
  }
})

describe('S21 of one organisation, to a caller of the other', () => {
  /** The same question about something that there is not. */
  const expectUnknown = (foreign: Answer, unknown: Answer, own: string, made: string): void => {
    expect([foreign.status, foreign.text.replaceAll(own, '…')]).toEqual([
      unknown.status,
      unknown.text.replaceAll(made, '…'),
    ])
    expect(foreign.text).toMatch(/error|unknown_/)
  }

  it('a tool is unknown', async () => {
    expect((await call('a', 'only-a')).body.result.content[0].text).toBe('only-a')
    expectUnknown(await call('b', 'only-a'), await call('b', 'only-z'), 'only-a', 'only-z')
    const listed = await legacy('b', 'tools/list', {})
    expect(listed.text).toContain('"only-b"')
    expect(listed.text).not.toContain('only-a')
  })

  it('a cursor is unknown', async () => {
    const first = await legacy('a', 'tools/list', {})
    const cursor: string = first.body.result.nextCursor
    expect((await legacy('a', 'tools/list', { cursor })).status).toBe(200)
    const foreign = await legacy('b', 'tools/list', { cursor })
    const unknown = await legacy('b', 'tools/list', { cursor: `${cursor.slice(0, -2)}zz` })
    expectUnknown(foreign, unknown, cursor, cursor)
  })

  it('S23 a session is unknown, whoever holds its id', async () => {
    const session = await openLegacySession(gateway, { token: sides.a.agent })
    const id = session.headers['mcp-session-id'] ?? ''
    expect((await legacy('a', 'ping', {}, { 'mcp-session-id': id })).status).toBe(200)
    const spoilt = `B${id.slice(1)}`
    const foreign = await legacy('b', 'ping', {}, { 'mcp-session-id': id })
    expectUnknown(foreign, await legacy('b', 'ping', {}, { 'mcp-session-id': spoilt }), id, spoilt)
    const deleted = await gateway.fetch('/mcp', {
      method: 'DELETE',
      headers: { ...session.headers, authorization: `Bearer ${sides.b.agent}` },
    })
    expect(deleted.status).toBe(404)
    expect((await legacy('a', 'ping', {}, { 'mcp-session-id': id })).status).toBe(200)
  })

  it('the state of a call that waits is unknown', async () => {
    const ask = (who: Name, rest: object = {}): Promise<Answer> =>
      call(who, 'x__ask', { arguments: { method: 'roots/list' }, capabilities: { roots: {} }, rest })
    const { requestState } = (await ask('a')).body.result
    const inputResponses = { input: { roots: [] } }
    const spoilt = `B${requestState.slice(1)}`
    const foreign = await ask('b', { requestState, inputResponses })
    expectUnknown(foreign, await ask('b', { requestState: spoilt, inputResponses }), requestState, spoilt)
    expect((await ask('a', { requestState, inputResponses })).body.result.content[0].text).toBe(
      '{"roots":[]}',
    )
  })

  it('a task is unknown', async () => {
    const capabilities = { extensions: { [TASKS_EXTENSION]: {} } }
    const { taskId } = (await call('a', 'task__task', { capabilities })).body.result
    const ask = (who: Name, id: string): Promise<Answer> =>
      call(who, id, { method: 'tasks/get', capabilities, rest: { taskId: id } })
    expect((await ask('a', taskId)).body.result).toMatchObject({ taskId })
    const spoilt = `B${taskId.slice(1)}`
    expectUnknown(await ask('b', taskId), await ask('b', spoilt), taskId, spoilt)
  })

  it('services, users and keys are unknown', async () => {
    const manage = (who: Name, method: string, path: string): Promise<Answer> =>
      gateway.manage(method, path, undefined, by(sides[who].admin))
    const [service] = (await manage('a', 'GET', '/api/v1/servers')).body.items
    const [key] = (await manage('a', 'GET', '/api/v1/keys')).body.items
    const user = await makeUser(gateway, 'ann', {}, sides.a.admin)
    const made = crypto.randomUUID()
    for (const [method, path, id] of [
      ['GET', '/api/v1/servers', service.id],
      ['DELETE', '/api/v1/servers', service.id],
      ['DELETE', '/api/v1/keys', key.id],
      ['GET', '/api/v1/users', user],
      ['DELETE', '/api/v1/users', user],
    ])
      expectUnknown(
        await manage('b', method, `${path}/${id}`),
        await manage('b', method, `${path}/${made}`),
        id,
        made,
      )
    expect((await manage('b', 'GET', '/api/v1/keys')).text).not.toContain(key.id)
  })
})
