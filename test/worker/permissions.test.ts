/** Rules of who may use which tool, set on one gateway and seen on another, by every kind of caller. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { eventually, type Gateway } from '../support/gateway.ts'
import { addKey } from '../support/key.ts'
import { startStack, type Stack } from '../support/stack.ts'
import { startUpstream, type Upstream } from '../support/upstream.ts'

type Caller = { readonly authorization: string }

let stack: Stack
let writer: Gateway
let other: Gateway
let upstream: Upstream
let coder: Caller
let reviewer: Caller
let admin: Caller

const PATH = '/api/v1/permissions'
const tool = (name: string) => ({ name, inputSchema: { type: 'object' } })

beforeAll(async () => {
  stack = await startStack()
  coder = await addKey(stack, 'coder')
  reviewer = await addKey(stack, 'reviewer')
  admin = await addKey(stack, undefined, 'admin')
  writer = await stack.gateway()
  other = await stack.gateway()
  upstream = await startUpstream({ era: 'both', tools: [tool('read'), tool('write')] })
  await writer.register('shop', upstream.url)
  await eventually(5_000, async () => expect(await names(other, coder)).toContain('write'))
})
afterEach(async () => {
  const { items } = (await writer.manage('GET', `${PATH}?limit=1000`)).body
  for (const { agentType, tool: name } of items) {
    await writer.manage('DELETE', PATH, { agentType, tool: name })
  }
})
afterAll(async () => {
  await stack.close()
  await upstream.stop()
})

/** Of the two tools that rules are about here. */
const names = async (gateway: Gateway, headers: Caller, path = '/mcp'): Promise<string[]> => {
  const { body } = await gateway.rpc('tools/list', {}, { headers, path })
  const all = body.result.tools.map(({ name }: { name: string }) => name)
  return all.filter((name: string) => ['read', 'write'].includes(name))
}
const set = async (...texts: readonly string[]): Promise<void> => {
  const rules = texts.map((text) => {
    const [word, agentType, name] = text.split(' ')
    return { agentType, tool: name, allowed: word === 'allow' }
  })
  expect((await writer.manage('PUT', PATH, rules)).status).toBe(200)
}

/** The moment, and the name of the request, are another each time. */
const isOfAnswer = ([key]: [string, string]): boolean => key !== 'date' && key !== 'x-correlation-id'

describe('what a caller may not use', () => {
  it.each(['legacy', 'modern'] as const)(
    'B96 is to a %s caller byte for byte what nobody knows, and no upstream hears of it',
    async (era) => {
      await set('deny coder write')
      const ask = async (name: string, path: string) => {
        const params = { name, arguments: { a: 1 } }
        const options = { headers: coder, path }
        const answer = await (era === 'legacy'
          ? writer.rpc('tools/call', params, options)
          : writer.modern('tools/call', params, options))
        const headers = [...answer.headers].filter(isOfAnswer)
        return { status: answer.status, headers, text: answer.text }
      }
      const before = upstream.calls('tools/call').length
      for (const [name, path] of [
        ['write', '/mcp'],
        ['shop__write', '/mcp'],
        ['write', '/mcp/shop'],
      ] as const) {
        const denied = await ask(name, path)
        const unknown = await ask('weird', path)
        expect(denied.text).toContain(`Unknown tool: ${name}`)
        expect(denied.text.replaceAll(name, '')).toBe(unknown.text.replaceAll('weird', ''))
        const withoutLength = ({ headers }: typeof denied) =>
          headers.filter(([key]) => key !== 'content-length')
        expect(withoutLength(denied)).toEqual(withoutLength(unknown))
        expect(denied.status).toBe(unknown.status)
        await set('allow coder write')
        const allowed = await ask(name, path)
        expect(allowed.text).not.toContain('Unknown tool')
        await set('deny coder write')
      }
      expect(upstream.calls('tools/call').length - before).toBe(3)
    },
  )

  it('B96 B95 is the very answer that the same name gets when there is no such tool', async () => {
    const ask = async () => {
      const answer = await writer.rpc('tools/call', { name: 'write', arguments: {} }, { headers: coder })
      return [answer.status, [...answer.headers].filter(isOfAnswer), answer.text]
    }
    await set('deny coder write')
    const denied = await ask()
    await writer.manage('DELETE', '/api/v1/servers/shop')
    const unknown = await ask()
    await writer.register('shop', upstream.url)
    expect(denied).toEqual(unknown)
  })

  it('is listed to nobody of that kind, and to all others', async () => {
    await set('deny coder write')
    expect(await names(writer, coder)).toEqual(['read'])
    expect(await names(writer, coder, '/mcp/shop')).toEqual(['read'])
    expect(await names(writer, reviewer)).toEqual(['read', 'write'])
  })

  it('is not for administrators either where the rule is for everybody', async () => {
    await set('deny * shop/*', 'allow coder read')
    expect(await names(writer, admin)).toEqual([])
    expect(await names(writer, coder)).toEqual(['read'])
  })

  it('S21 S25 cannot be claimed by a header that says another kind', async () => {
    await set('deny * *', 'allow reviewer *')
    const headers = { ...coder, 'x-agent-type': 'reviewer', 'agent-type': 'reviewer' }
    expect(await names(writer, headers)).toEqual([])
  })
})

describe('a rule', () => {
  it('holds at once where it was written, and elsewhere within 2 s, both ways', async () => {
    for (const [word, expected] of [
      ['deny', ['read']],
      ['allow', ['read', 'write']],
    ] as const) {
      await set(`${word} coder write`)
      const writtenAt = performance.now()
      expect(await names(writer, coder)).toEqual(expected)
      await eventually(5_000, async () => expect(await names(other, coder)).toEqual(expected))
      expect(performance.now() - writtenAt).toBeLessThan(2_000)
    }
  })

  it('is read with those for everybody, replaced by a later one, and removed once', async () => {
    await set('deny coder write', 'deny reviewer *', 'allow * read')
    await set('allow coder write')
    const { body } = await writer.manage('GET', `${PATH}/coder`)
    expect(body.items).toEqual([
      { agentType: '*', tool: 'read', allowed: true },
      { agentType: 'coder', tool: 'write', allowed: true },
    ])
    expect((await writer.manage('GET', PATH)).body.items).toHaveLength(3)
    const removal = `${PATH}?agentType=reviewer&tool=${encodeURIComponent('*')}`
    expect((await writer.manage('DELETE', removal)).body).toMatchObject({ deleted: true })
    const again = await writer.manage('DELETE', removal)
    expect([again.status, again.body.code]).toEqual([404, 'unknown_permission'])
    expect(await names(writer, reviewer)).toEqual(['read', 'write'])
  })

  it('may name what is not registered yet, and must be well-formed', async () => {
    const one = await writer.manage('PUT', PATH, { agentType: 'coder', tool: 'later__tool', allowed: false })
    expect([one.status, one.body]).toEqual([200, { agentType: 'coder', tool: 'later__tool', allowed: false }])
    const bad = [
      [{ agentType: 'coder', tool: 'a b', allowed: true }, 'tool'],
      [{ agentType: 'coder', tool: 'Up/*', allowed: true }, 'tool'],
      [{ agentType: '', tool: '*', allowed: true }, 'agentType'],
      [{ agentType: 'coder', tool: '*' }, 'allowed'],
      [{ agentType: 'coder', tool: '*', allowed: true, also: 1 }, 'also'],
      [
        [
          { agentType: 'coder', tool: 'x', allowed: true },
          { agentType: 'coder', tool: '' },
        ],
        '1.tool',
      ],
    ] as const
    for (const [body, field] of bad) {
      const refused = await writer.manage('PUT', PATH, body)
      expect([refused.status, refused.body.code]).toEqual([400, 'invalid_body'])
      expect(refused.body.errors.map((error: { field: string }) => error.field)).toContain(field)
    }
    const many = Array.from({ length: 1_001 }, () => ({ agentType: 'a', tool: 'b', allowed: true }))
    expect((await writer.manage('PUT', PATH, many)).status).toBe(400)
    expect((await writer.manage('PUT', PATH, [])).status).toBe(400)
  })

  it('S20 is for operators to read and write', async () => {
    for (const [method, body] of [
      ['GET', undefined],
      ['PUT', { agentType: 'coder', tool: '*', allowed: true }],
      ['DELETE', { agentType: 'coder', tool: '*' }],
    ] as const) {
      const init = { method, headers: { ...coder, 'content-type': 'application/json' } }
      const answer = await writer.fetch(PATH, body ? { ...init, body: JSON.stringify(body) } : init)
      expect(answer.status).toBe(403)
    }
  })

  it('is written down with who set it', async () => {
    await set('deny coder write')
    const [row] = await stack.query(
      "select actor, action, target from audit_log where action = 'permission.set' order by created_at desc limit 1",
    )
    expect(row).toMatchObject({ action: 'permission.set', target: 'coder write' })
  })
})
