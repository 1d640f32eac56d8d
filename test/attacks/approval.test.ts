/** How an operator reads what has changed and approves it. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { headersOf, META } from '../support/base.ts'
import { eventually, type Answer, type Gateway } from '../support/gateway.ts'
import { startStack, type Stack } from '../support/stack.ts'
import { startUpstream, type Upstream } from '../support/upstream.ts'

const PAY = '{"name":"pay","description":"Pays.","inputSchema":{"type":"object"},"limit":1.0}'
const OTHER_PAY =
  '{"name":"pay","description":"Pays twice.","inputSchema":{"type":"object"},"extra":[1],"limit":1.0}'
const LEND = '{"name":"lend","inputSchema":{"type":"object"}}'
const OTHER_LEND = '{"name":"lend","inputSchema":{"type":"object"},"title":"Lend"}'

let stack: Stack
let gateway: Gateway
let upstream: Upstream

beforeAll(async () => {
  stack = await startStack()
  gateway = await stack.gateway()
  upstream = await startUpstream()
})
beforeEach(async () => {
  upstream.offer.tools = [PAY, LEND]
  await gateway.registerAnew('bank', upstream.url, { pinDefinitions: true })
  await change(OTHER_PAY, OTHER_LEND)
})
afterAll(async () => {
  await stack.close()
  await upstream.stop()
})

const change = async (...tools: string[]): Promise<void> => {
  upstream.offer.tools = tools
  expect((await gateway.manage('POST', '/api/v1/servers/bank/refresh')).status).toBe(200)
}
const definitions = (): Promise<Answer> => gateway.manage('GET', '/api/v1/servers/bank/definitions')
const approve = (body: unknown): Promise<Answer> =>
  gateway.manage('POST', '/api/v1/servers/bank/definitions/approve', body)
const audited = async () =>
  await stack.query(
    "select actor, action, target, detail from audit_log where target = 'bank' order by created_at",
  )

describe('definitions', () => {
  it('show the difference with raw values, and who approved what was before', async () => {
    const { status, body, text } = await definitions()
    expect([status, body.name, body.pinDefinitions]).toEqual([200, 'bank', true])
    expect(body.tools[0]).toMatchObject({
      tool: 'pay',
      status: 'changed',
      isWithheld: true,
      flags: [],
      differences: [
        { path: '/description', before: 'Pays.', after: 'Pays twice.' },
        { path: '/extra', after: [1] },
      ],
      approvedBy: expect.any(String),
    })
    expect(body.tools[0].digest).not.toBe(body.tools[0].approvedDigest)
    expect(text).toContain(`"definition":${OTHER_PAY}`)
  })

  it('bound what they show of one value', async () => {
    await change(PAY.replace('}', `},"x-long":"${'x'.repeat(100_000)}"`), LEND)
    const [pay] = (await definitions()).body.tools
    expect(pay.differences).toEqual([{ path: '/x-long', after: expect.stringMatching(/^"x{3,}.* \[…\]$/) }])
    expect(pay.differences[0].after.length).toBeLessThan(4_100)
  })

  it('of a service that is not there are a 404', async () => {
    expect((await gateway.manage('GET', '/api/v1/servers/nope/definitions')).body.code).toBe(
      'unknown_service',
    )
    const path = '/api/v1/servers/nope/definitions/approve'
    expect((await gateway.manage('POST', path, {})).body.code).toBe('unknown_service')
  })
})

describe('approval', () => {
  it('gives the named tool at once, and leaves the others', async () => {
    const { status, body } = await approve({ tools: ['pay'] })
    expect(status).toBe(200)
    expect(body.tools.map((each: { status: string }) => each.status)).toEqual(['approved', 'changed'])
    expect(await gateway.toolNames()).toEqual(['pay'])
    expect((await audited()).at(-1)).toMatchObject({
      action: 'definition.approve',
      detail: { tools: ['pay'] },
    })
  })

  it('of nothing in particular is that of all', async () => {
    expect((await approve({})).status).toBe(200)
    expect(await gateway.toolNames()).toEqual(['pay', 'lend'])
    expect((await audited()).at(-1)).toMatchObject({ detail: { tools: ['pay', 'lend'] } })
  })

  it('of what was read is refused once it has changed, and nothing is approved', async () => {
    const [pay, lend] = (await definitions()).body.tools
    await change(PAY.replace('Pays.', 'Steals.'), OTHER_LEND)
    const digests = { pay: pay.digest, lend: lend.digest }
    const refused = await approve({ digests })
    expect([refused.status, refused.body.code]).toEqual([409, 'definition_changed'])
    expect(refused.body.detail).toMatch(/: pay$/)
    expect(await gateway.toolNames()).toEqual([])
    expect((await approve({ tools: ['lend'], digests: { lend: lend.digest } })).status).toBe(200)
    expect(await gateway.toolNames()).toEqual(['lend'])
  })

  it.each([
    ['of a tool that there is not', { tools: ['nope'] }, /'nope' is no tool/],
    ['with a field that there is not', { tool: 'pay' }, /tool: is not a known field/],
    ['with a digest that is none', { digests: { pay: 'x' } }, /digests\.pay: must be a digest/],
    ['with one bad name among good ones', { tools: ['pay', 'constructor'] }, /'constructor' is no tool/],
  ])('%s is a 400 that says so, and approves nothing', async (_, body, detail) => {
    const refused = await approve(body)
    expect([refused.status, refused.body.code]).toEqual([400, 'invalid_body'])
    expect(refused.body.detail).toMatch(detail)
    expect(await gateway.toolNames()).toEqual([])
  })

  it('needs the credential of an operator', async () => {
    const path = '/api/v1/servers/bank/definitions/approve'
    const refused = await gateway.fetch(path, { method: 'POST', body: '{}' })
    expect(refused.status).toBe(401)
  })

  it('is announced to who listens', async () => {
    const over = new AbortController()
    const method = 'subscriptions/listen'
    const params = { notifications: { toolsListChanged: true }, _meta: META }
    const response = await fetch(`${gateway.url}/mcp`, {
      method: 'POST',
      headers: headersOf({ headers: { 'mcp-method': method, 'mcp-name': undefined } }),
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
      signal: over.signal,
    })
    let heard = ''
    const read = async (): Promise<void> => {
      for await (const piece of response.body?.pipeThrough(new TextDecoderStream()) ?? []) heard += piece
    }
    const reading = read().catch(() => undefined)
    await eventually(5_000, () => expect(heard).toContain('acknowledged'))
    expect(heard).not.toContain('tools/list_changed')
    await approve({ tools: ['pay'] })
    await eventually(5_000, () => expect(heard).toContain('notifications/tools/list_changed'))
    over.abort()
    await reading
  })
})

describe('a service that does not pin', () => {
  it('S35 gives a changed tool, and the audit log says what changed', async () => {
    await gateway.registerAnew('bank', upstream.url)
    await change(PAY, '{"name":"new","inputSchema":{"type":"object"}}')
    expect(await gateway.toolNames()).toEqual(['pay', 'new'])
    const detail = { tools: { changed: ['pay'], added: ['new'], removed: ['lend'] } }
    expect((await audited()).at(-1)).toMatchObject({ action: 'service.update', detail })
  })
})
