/** Results of tools that are given again: when, to whom, for how long, and what callers and operators see of it. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Answer, eventually, type Gateway, STAYS_CLOSED, TOKEN } from '../support/gateway.ts'
import { addKey } from '../support/key.ts'
import { openLegacySession } from '../support/legacy-session.ts'
import { startStack, type Stack } from '../support/stack.ts'
import { startUpstream, type Upstream } from '../support/upstream.ts'

const TOOLS = [
  { name: 'look', inputSchema: { type: 'object' } },
  { name: 'erase', inputSchema: { type: 'object' }, annotations: { destructiveHint: true } },
]

let stack: Stack
let gateway: Gateway
let upstream: Upstream
let coder: { readonly authorization: string }
let tester: typeof coder

beforeAll(async () => {
  stack = await startStack()
  coder = await addKey(stack, 'coder')
  tester = await addKey(stack, 'tester')
  gateway = await stack.gateway({ CACHE_TTL_SECONDS: '77' })
  upstream = await startUpstream({ era: 'legacy', tools: TOOLS })
  await gateway.register('bank', upstream.url, { cacheTtlSeconds: 60, ...STAYS_CLOSED })
})
afterAll(async () => {
  await stack.close()
  await upstream.stop()
})
/** Nothing of what the tests before have kept is given again. */
beforeEach(async () => {
  expect((await gateway.manage('DELETE', '/api/v1/servers/bank/cache')).status).toBe(200)
})

const calls = (): number => upstream.calls('tools/call').length
const call = (name = 'look', args: object = {}, headers: Record<string, string> = {}): Promise<Answer> =>
  gateway.rpc('tools/call', { name, arguments: args }, { headers })
/** X-Cache of each of these, one after the other. */
async function marks(...made: (() => Promise<Answer>)[]): Promise<(string | null)[]> {
  const found: (string | null)[] = []
  for (const make of made) found.push((await make()).headers.get('x-cache'))
  return found
}
const metaOf = ({ body }: Answer) => body.result._meta?.['switchyard/cache']

describe('five calls', () => {
  it('that are the same make one call to the service, and say so', async () => {
    const before = calls()
    const answers: Answer[] = []
    for (const id of [1, 2, 3, 4, 5])
      answers.push(await gateway.rpc('tools/call', { name: 'look', arguments: { text: 'a' } }, { id }))
    expect(calls() - before).toBe(1)
    expect(answers.map(({ body }) => [body.id, body.result.content[0].text])).toEqual(
      [1, 2, 3, 4, 5].map((id) => [id, 'a']),
    )
    expect(answers.map(({ headers }) => headers.get('x-cache'))).toEqual(['MISS', 'HIT', 'HIT', 'HIT', 'HIT'])
    const [first, second] = answers.map(metaOf)
    expect(first).toEqual({ status: 'miss' })
    expect(second).toEqual({ status: 'hit', ageSeconds: expect.any(Number), ttlSeconds: 60 })
  })

  it('at the same time make one call as well', async () => {
    const before = calls()
    upstream.dial.set({ is: 'delay', ms: 300, for: 'tools/call', times: 1 })
    const answers = await Promise.all(Array.from({ length: 5 }, () => call('look', { text: 'b' })))
    expect(calls() - before).toBe(1)
    expect(answers.map(({ body }) => body.result.content[0].text)).toEqual(Array(5).fill('b'))
    expect(answers.map(({ headers }) => headers.get('x-cache')).toSorted()).toEqual([
      ...Array(4).fill('HIT'),
      'MISS',
    ])
  })

  it('that differ make five', async () => {
    const before = calls()
    for (const n of [1, 2, '1', null, [1]]) await call('look', { n })
    expect(calls() - before).toBe(5)
  })
})

describe('a kept result', () => {
  it('is given under every name of the tool, at every endpoint and to every era', async () => {
    const sessioned = await openLegacySession(gateway)
    const body = JSON.stringify({
      jsonrpc: '2.0',
      id: 9,
      method: 'tools/call',
      params: { name: 'look', arguments: { text: 'c' } },
    })
    const params = { name: 'look', arguments: { text: 'c' } }
    expect(
      await marks(
        () => call('look', { text: 'c' }),
        () => call('bank__look', { text: 'c' }),
        () => gateway.rpc('tools/call', params, { path: '/mcp/bank' }),
        () => gateway.modern('tools/call', params),
        () => sessioned.post(body),
      ),
    ).toEqual(['MISS', 'HIT', 'HIT', 'HIT', 'HIT'])
    const modern = await gateway.modern('tools/call', params)
    expect(modern.body.result).toMatchObject({ resultType: 'complete', content: [{ text: 'c' }] })
    expect((await call('look', { text: 'c' })).body.result.resultType).toBeUndefined()
  })

  it('passes byte for byte, numbers included', async () => {
    upstream.dial.raw = '{"content":[],"structuredContent":{"n":9007199254740993, "x":1.0}}'
    await call('raw')
    const { text, headers } = await call('raw')
    expect(headers.get('x-cache')).toBe('HIT')
    expect(text).toContain('"structuredContent":{"n":9007199254740993, "x":1.0}')
    upstream.dial.raw = '{"content":[]}'
  })

  it('is given without MCP and in batches', async () => {
    const post = () =>
      gateway.fetch('/api/v1/tools/call', {
        method: 'POST',
        headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
        body: '{"name":"look","arguments":{"text":"d"}}',
      })
    expect(await marks(post, post)).toEqual(['MISS', 'HIT'])
    expect((await post()).body._meta['switchyard/cache'].status).toBe('hit')
    const before = calls()
    const one = (id: number) => ({
      jsonrpc: '2.0',
      id,
      method: 'tools/call',
      params: { name: 'look', arguments: { text: 'd' } },
    })
    const batch = await gateway.post(JSON.stringify([one(1), one(2)]))
    expect(batch.body.map(({ id }: { id: number }) => id)).toEqual([1, 2])
    expect(calls()).toBe(before)
  })

  it('is given while the service is away, and needs none of its tokens', async () => {
    const away = await startUpstream({ era: 'modern', tools: TOOLS })
    const rateLimit = { requestsPerMinute: 1, burstLimit: 1 }
    await gateway.register('away', away.url, { cacheTtlSeconds: 60, rateLimit })
    await call('away__look')
    await away.stop()
    expect(await marks(...Array.from({ length: 5 }, () => () => call('away__look')))).toEqual(
      Array(5).fill('HIT'),
    )
    await gateway.manage('POST', '/api/v1/servers/away/disconnect')
    const disabled = await call('away__look')
    expect([disabled.headers.get('x-cache'), disabled.body.error.code]).toEqual([null, -31523])
    await gateway.manage('DELETE', '/api/v1/servers/away')
  })

  it('tells a browser of another origin', async () => {
    const { headers } = await call('look', { text: 'e' }, { origin: 'https://ok.example' })
    expect(headers.get('access-control-expose-headers')).toContain('x-cache')
    const asked = { origin: 'https://ok.example', 'access-control-request-headers': 'cache-control' }
    const preflight = await gateway.fetch('/mcp', { method: 'OPTIONS', headers: asked })
    expect(preflight.headers.get('access-control-allow-headers')).toContain('cache-control')
  })
})

describe('a caller', () => {
  it('that wants no kept result gets a new one, which is kept', async () => {
    const fresh = () => call('look', { text: 'f' }, { 'cache-control': 'no-cache' })
    const plain = () => call('look', { text: 'f' })
    const hinted = () =>
      gateway.rpc('tools/call', {
        name: 'look',
        arguments: { text: 'f' },
        _meta: { 'switchyard/cache': 'no-cache' },
      })
    const before = calls()
    expect(await marks(fresh, plain, fresh, hinted, plain)).toEqual(['MISS', 'HIT', 'MISS', 'MISS', 'HIT'])
    expect(calls() - before).toBe(3)
  })

  it('that wants nothing kept leaves nothing', async () => {
    const secret = () => call('look', { text: 'g' }, { 'cache-control': 'no-store' })
    const plain = () => call('look', { text: 'g' })
    expect(await marks(secret, plain, secret, plain)).toEqual(['MISS', 'MISS', 'MISS', 'HIT'])
  })
})

describe('what is not kept', () => {
  it.each([
    ['an error of the tool', 'fail'],
    ['an error of the service', 'rpc-error'],
  ])('%s', async (_, tool) => {
    expect(await marks(...Array.from({ length: 2 }, () => () => call(tool)))).toEqual(['MISS', 'MISS'])
  })

  it('a result of more than 1 MiB, which passes as it comes', async () => {
    const big = () => call('big', { bytes: 1_100_000 })
    const { headers, body } = await big()
    expect([headers.get('x-cache'), body.result.content[0].text.length]).toEqual(['MISS', 1_100_000])
    expect(await marks(big, () => call('big', { bytes: 1_000_000 }))).toEqual(['MISS', 'MISS'])
    expect(await marks(() => call('big', { bytes: 1_000_000 }))).toEqual(['HIT'])
  })

  it('a result that says so', async () => {
    for (const member of ['"ttlMs":0', '"cacheScope":"private"', '"resultType":"task","taskId":"1"']) {
      upstream.dial.raw = `{"content":[],${member}}`
      expect(await marks(...Array.from({ length: 2 }, () => () => call('raw', { member })))).toEqual([
        'MISS',
        'MISS',
      ])
    }
    upstream.dial.raw = '{"content":[]}'
  })

  it('what a tool brings that says that it destroys, unless it is named itself', async () => {
    expect(await marks(...Array.from({ length: 2 }, () => () => call('erase')))).toEqual([null, null])
    const set = (cacheTtlSeconds: number | null) =>
      gateway.manage('PATCH', '/api/v1/tools/bank/erase', { cacheTtlSeconds })
    await set(60)
    expect(await marks(...Array.from({ length: 2 }, () => () => call('erase')))).toEqual(['MISS', 'HIT'])
    await set(null)
  })

  it('what came after the caller was asked', async () => {
    const before = calls()
    const session = await openLegacySession(gateway, { capabilities: { roots: {} } })
    const ask = JSON.stringify({
      jsonrpc: '2.0',
      id: 7,
      method: 'tools/call',
      params: { name: 'ask', arguments: { method: 'roots/list' } },
    })
    for (let turn = 1; turn <= 2; turn++) {
      for await (const text of session.follow(ask)) {
        const { id, method, result } = JSON.parse(text)
        if (method !== undefined)
          await session.post(JSON.stringify({ jsonrpc: '2.0', id, result: { roots: [] } }))
        else expect(result.content[0].text).toContain('roots')
      }
      expect(calls() - before).toBe(turn)
    }
  })
})

describe('a tool whose results are for the caller alone', () => {
  it('S21 gives no two callers the same', async () => {
    const set = await gateway.manage('PATCH', '/api/v1/tools/bank/look', { cacheScope: 'caller' })
    expect([set.status, set.body.cacheScope]).toEqual([200, 'caller'])
    const before = calls()
    const by = (headers: typeof coder) => () => call('look', { text: 'h' }, headers)
    expect(await marks(by(coder), by(tester), by(coder), by(tester))).toEqual(['MISS', 'MISS', 'HIT', 'HIT'])
    expect(calls() - before).toBe(2)
    await gateway.manage('PATCH', '/api/v1/tools/bank/look', { cacheScope: null })
    expect(await marks(by(coder), by(tester))).toEqual(['MISS', 'HIT'])
  })
})

describe('an operator', () => {
  const setting = (said: object) => gateway.manage('PATCH', '/api/v1/tools/bank/look', said)

  it('says for how long, `default` meaning what the gateway is set to', async () => {
    expect((await setting({ cacheTtlSeconds: 'default' })).body.cacheTtlSeconds).toBe(77)
    await call()
    expect(metaOf(await call()).ttlSeconds).toBe(77)
    await setting({ cacheTtlSeconds: null })
    const shown = await gateway.manage('PUT', '/api/v1/servers/bank', {
      cacheTtlSeconds: 'default',
      cacheScope: 'caller',
    })
    expect(shown.body).toMatchObject({ cacheTtlSeconds: 77, cacheScope: 'caller' })
    await gateway.manage('PUT', '/api/v1/servers/bank', { cacheTtlSeconds: 60, cacheScope: 'shared' })
  })

  it('says no for one tool of a service that says yes', async () => {
    await setting({ cacheTtlSeconds: 0 })
    const before = calls()
    expect(await marks(call, call)).toEqual([null, null])
    expect(calls() - before).toBe(2)
    expect(metaOf(await call())).toBeUndefined()
    await setting({ cacheTtlSeconds: null })
  })

  it('throws away what was kept of a tool, or of all tools of a service, and that is written down', async () => {
    const both = [() => call(), () => call('echo')] as const
    const again = async (path: string): Promise<(string | null)[]> => {
      await marks(...both)
      expect(await marks(...both)).toEqual(['HIT', 'HIT'])
      const discarded = await gateway.manage('DELETE', `/api/v1/${path}/cache`)
      expect([discarded.status, discarded.body.discarded]).toEqual([200, true])
      return await marks(...both)
    }
    expect(await again('tools/bank/look')).toEqual(['MISS', 'HIT'])
    expect(await again('tools/bank/look')).toEqual(['MISS', 'HIT'])
    expect(await again('servers/bank')).toEqual(['MISS', 'MISS'])
    const audit = await gateway.manage('GET', '/api/v1/audit?action=cache.discard')
    const targets = audit.body.items.map(({ target }: { target: string }) => target)
    expect(targets).toEqual(expect.arrayContaining(['bank', 'bank/look']))
    for (const unknown of ['servers/nobody', 'tools/nobody/look', 'tools/bank/nothing']) {
      const refused = await gateway.manage('DELETE', `/api/v1/${unknown}/cache`)
      expect([refused.status, refused.headers.get('content-type')]).toEqual([404, 'application/problem+json'])
    }
  })

  it('is told what cannot be set', async () => {
    for (const path of ['/api/v1/servers/bank', '/api/v1/tools/bank/look']) {
      const method = path.includes('servers') ? 'PUT' : 'PATCH'
      for (const [field, value, says] of [
        ['cacheTtlSeconds', 'often', 'from 0 to 86400'],
        ['cacheTtlSeconds', -1, 'from 0 to 86400'],
        ['cacheTtlSeconds', 86_401, 'from 0 to 86400'],
        ['cacheTtlSeconds', true, 'from 0 to 86400'],
        ['cacheScope', 'world', 'shared'],
        ['cacheScope', 1, 'shared'],
      ] as const) {
        const { status, body } = await gateway.manage(method, path, { [field]: value })
        expect([status, body.errors?.[0]?.field]).toEqual([400, field])
        expect(body.errors[0].message).toContain(says)
      }
    }
  })

  it('S62 sees a record of every call, whether its service was asked or not', async () => {
    await gateway.register('counted', upstream.url, { cacheTtlSeconds: 60 })
    const counted = () => call('counted__look')
    expect(await marks(counted, counted, counted)).toEqual(['MISS', 'HIT', 'HIT'])
    const where = `action = 'mcp.tools/call' and target = 'counted/look' and outcome = 'done'`
    await eventually(15_000, async () => {
      const [row] = await stack.query(`select count(*)::int as count from audit_log where ${where}`)
      expect(row?.['count']).toBe(3)
    })
    await gateway.manage('DELETE', '/api/v1/servers/counted')
  })
})

describe('what was kept is given no more', () => {
  it('when the tool is another one', async () => {
    expect(
      await marks(
        () => call('look'),
        () => call('look'),
      ),
    ).toEqual(['MISS', 'HIT'])
    upstream.offer.tools = upstream.offer.tools.map((tool) =>
      tool.includes('"look"') ? tool.replace('"name"', '"description":"new","name"') : tool,
    )
    await gateway.manage('POST', '/api/v1/servers/bank/refresh')
    expect(
      await marks(
        () => call('look'),
        () => call('echo'),
      ),
    ).toEqual(['MISS', 'MISS'])
    expect(
      await marks(
        () => call('look'),
        () => call('echo'),
      ),
    ).toEqual(['HIT', 'HIT'])
  })

  it('when the service is reached otherwise', async () => {
    await call()
    await gateway.manage('PUT', '/api/v1/servers/bank', { timeoutMs: 9_000 })
    expect(await marks(call)).toEqual(['HIT'])
    await gateway.manage('PUT', '/api/v1/servers/bank', { headers: { 'X-Account': 'other' } })
    expect(await marks(call)).toEqual(['MISS'])
  })

  it('when its time is over, which an operator may have made shorter since', async () => {
    const short = (cacheTtlSeconds: number | null) => setting({ cacheTtlSeconds })
    const setting = (said: object) => gateway.manage('PATCH', '/api/v1/tools/bank/look', said)
    await call()
    await short(1)
    await eventually(5_000, async () => expect(await marks(call)).toEqual(['MISS']))
    await short(null)
  })

  it('B96 to a caller who may not use the tool any more, in the words of an unknown tool', async () => {
    await call('look', {}, coder)
    const rule = { agentType: 'coder', tool: 'look' }
    await gateway.manage('PUT', '/api/v1/permissions', { ...rule, allowed: false })
    const denied = await call('look', {}, coder)
    expect(denied.body.error).toEqual({ code: -32602, message: 'Unknown tool: look' })
    expect(denied.headers.get('x-cache')).toBeNull()
    expect(await marks(() => call('look', {}, tester))).toEqual(['HIT'])
    await gateway.manage('DELETE', '/api/v1/permissions', rule)
    await gateway.manage('PATCH', '/api/v1/tools/bank/look', { isEnabled: false })
    expect((await call('look', {}, coder)).body.error.code).toBe(-32602)
    await gateway.manage('PATCH', '/api/v1/tools/bank/look', { isEnabled: null })
  })
})
