/** S58 S59: secrets planted wherever one can be are found nowhere: in no answer, line, row, and in nothing at rest. */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Answer, eventually, type Gateway, STAYS_CLOSED } from '../support/gateway.ts'
import { modernCall } from '../support/modern-call.ts'
import { startStack, type Stack } from '../support/stack.ts'
import { startUpstream, type Upstream } from '../support/upstream.ts'

/** Each is found also where only its middle is told, or where it is written in base64. */
const canary = (where: string): string => `canary-${where}-5d41402abc4b2a76b9719d91`
const CANARY = /canary-[a-z-]+/g
const TRACE = {
  traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
  tracestate: `v=${canary('tracestate')}`,
  baggage: `user=${canary('baggage')}`,
}
/** Those that are not ours to choose: tokens of the stores, keys and tokens that the gateway makes. */
let madeSecrets: readonly string[] = []
const KEY = canary('encryption-key').slice(0, 32)

let stack: Stack
let gateway: Gateway
let [bearer, keyed, open]: Upstream[] = []
let dataDirectory: string
let said = ''
const answers: Answer[] = []

beforeAll(async () => {
  dataDirectory = await mkdtemp(join(tmpdir(), 'canary-'))
  stack = await startStack()
  madeSecrets = [new URL(stack.databaseUrl).password, 'redis-token']
  const auth = { header: 'authorization', value: `Bearer ${canary('upstream-token')}` }
  bearer = await startUpstream({ era: 'legacy', auth })
  keyed = await startUpstream({ era: 'modern', auth: { header: 'x-key', value: canary('upstream-key') } })
  open = await startUpstream({ era: 'legacy' })
  const settings = {
    API_KEY: canary('operator-key'),
    MCP_BEARER_TOKEN: canary('gateway-token'),
    ENCRYPTION_KEY: Buffer.from(KEY).toString('base64'),
    JWT_SECRET: canary('jwt'),
    LOG_LEVEL: 'debug',
  }
  gateway = await stack.gateway(settings, { dataDirectory, sink: (text) => void (said += text) })
})
afterAll(async () => {
  await stack.close()
  await Promise.all([bearer?.stop(), keyed?.stop(), open?.stop()])
  await rm(dataDirectory, { recursive: true, force: true })
})

const keep = async (answer: Promise<Answer>): Promise<Answer> => {
  answers.push(await answer)
  return await answer
}
const call = (path: string, name: string, args: object) =>
  gateway.rpc('tools/call', { name, arguments: args }, { path })

describe('S58 S59 secrets', () => {
  it('are planted, and what they are for works', async () => {
    const registered = [
      await keep(
        gateway.register('bearer', bearer?.url ?? '', {
          auth: { type: 'bearer', token: canary('upstream-token') },
          headers: { 'X-Fixed': canary('fixed-header') },
          ...STAYS_CLOSED,
        }),
      ),
      await keep(
        gateway.register('keyed', keyed?.url ?? '', {
          auth: { type: 'api-key', apiKey: canary('upstream-key'), header: 'X-Key' },
        }),
      ),
    ]
    expect(registered.map(({ status }) => status)).toEqual([201, 201])
    const secret = { text: canary('argument') }
    for (const path of ['/mcp/bearer', '/mcp/keyed']) {
      const { body } = await call(path, 'echo', secret)
      expect(body.result.content[0].text).toBe(secret.text)
    }
    // What an upstream says is for whoever asked it, and for nobody else.
    const told = await call('/mcp/bearer', 'rpc-error', { message: canary('upstream-error') })
    expect(told.text).toContain(canary('upstream-error'))
  })

  it('are given by the gateway, once, and tried wrongly', async () => {
    const login = { username: 'ada', password: canary('password') }
    await keep(gateway.manage('POST', '/api/v1/users', { ...login, role: 'user' }))
    const wrong = { ...login, password: canary('wrong-password') }
    await keep(gateway.fetch('/api/v1/auth/login', { method: 'POST', body: JSON.stringify(wrong) }))
    const body = JSON.stringify(login)
    const { token } = (await gateway.fetch('/api/v1/auth/login', { method: 'POST', body })).body
    const { key } = (await gateway.manage('POST', '/api/v1/keys', { name: 'a key', role: 'user' })).body
    madeSecrets = [...madeSecrets, token, key]
    for (const secret of [token, key]) {
      const headers = { authorization: `Bearer ${secret}` }
      expect((await keep(gateway.rpc('tools/list', {}, { headers }))).body.result).toBeDefined()
      await keep(gateway.rpc('tools/call', { name: 'nope' }, { headers }))
    }
    for (const path of ['users', 'keys', 'organisations'])
      await keep(gateway.manage('GET', `/api/v1/${path}`))
    const auth = {
      type: 'oauth2',
      accessToken: canary('access-token'),
      refreshToken: canary('refresh-token'),
      clientId: 'gateway',
      clientSecret: canary('client-secret'),
      tokenUrl: 'http://127.0.0.1:1/token',
    }
    expect((await keep(gateway.register('signed-in', open?.url ?? '', { auth }))).status).toBe(201)
    open?.dial.set({
      is: 'respond',
      status: 401,
      body: canary('upstream-error'),
      for: 'tools/call',
      times: 2,
    })
    await keep(call('/mcp/signed-in', 'echo', { text: 'x' }))
  })

  it('are sent where they do not belong, and to upstreams that fail', async () => {
    const secret = { text: canary('argument') }
    const wrong = { authorization: `Bearer ${canary('wrong-token')}` }
    await keep(gateway.rpc('tools/list', {}, { headers: wrong }))
    await keep(gateway.fetch('/api/v1/servers', { headers: { 'x-api-key': canary('wrong-key') } }))
    const traced = { name: 'nope', _meta: TRACE }
    await keep(gateway.rpc('tools/call', traced, { path: '/mcp/bearer', headers: TRACE }))
    await keep(gateway.rpc('tools/list', {}, { path: `/mcp?token=${canary('query')}` }))
    await keep(gateway.rpc('tools/list', {}, { path: `/mcp/none?token=${canary('query')}` }))
    await keep(gateway.manage('GET', `/api/v1/servers/none?token=${canary('query')}`))
    // Its answer says what was asked for, to whoever asked.
    await gateway.rpc('resources/read', { uri: `test://${canary('user')}@x/?token=${canary('query')}` })
    await keep(call('/mcp', 'nope', secret))
    await keep(
      gateway.post(
        `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"arguments":{"text":"${secret.text}"}`,
      ),
    )
    const body = canary('upstream-error')
    for (const fault of [
      { is: 'respond', status: 500, body },
      { is: 'respond', status: 401, body, headers: { 'www-authenticate': `Bearer realm="${body}"` } },
      { is: 'respond', body, headers: { 'content-type': 'text/html' } },
      { is: 'respond', body: `{"jsonrpc":"2.0","id":1,"${body}` },
      { is: 'respond', status: 302, headers: { location: `https://x.example/?${body}` } },
      { is: 'reset' },
    ] as const) {
      bearer?.dial.set({ ...fault, for: 'tools/call', times: 2 })
      await keep(call('/mcp/bearer', 'echo', secret))
      bearer?.dial.clear()
    }
    bearer?.dial.set({ is: 'respond', status: 500, body, for: 'initialize', times: 1 })
    await keep(gateway.manage('POST', '/api/v1/servers/bearer/refresh'))
    bearer?.dial.clear()
    await keep(
      gateway.manage('PUT', '/api/v1/servers/bearer', { auth: { type: 'bearer', tokn: canary('body') } }),
    )
  })

  it('are held by calls that wait for their caller', async () => {
    const asking = modernCall('ask', {
      token: canary('gateway-token'),
      capabilities: { elicitation: { form: {} } },
      arguments: { method: 'elicitation/create', note: canary('parked-argument') },
    })
    const headers = { ...asking.headers, ...TRACE }
    const { body } = await gateway.fetch('/mcp/bearer', { ...asking, headers })
    expect(body.result.resultType).toBe('input_required')
  })

  it('are near when the stores fail', async () => {
    stack.database.fault = { status: 500, body: `{"message":"${canary('database-text')}"}` }
    stack.cache.fault = { status: 500, body: canary('cache-text') }
    await keep(
      gateway.register('lost', bearer?.url ?? '', {
        auth: { type: 'bearer', token: canary('upstream-token') },
      }),
    )
    await keep(gateway.manage('GET', '/api/v1/audit'))
    await keep(gateway.fetch('/health'))
    stack.database.giveBack()
    stack.cache.giveBack()
  })

  it('are in no answer of any route', async () => {
    const paths = [
      '',
      '/bearer',
      '/bearer/definition',
      '/bearer/metrics',
      '/bearer/health',
      '/bearer/instances',
      '/keyed',
      '/signed-in',
    ]
    for (const path of paths) await keep(gateway.manage('GET', `/api/v1/servers${path}`))
    for (const path of ['/health', '/mcp/health', '/metrics', '/openapi.json', '/docs', '/nowhere'])
      await keep(gateway.fetch(path))
    for (const path of ['/mcp/health', '/metrics']) await keep(gateway.manage('GET', path))
    for (const method of ['tools/list', 'prompts/list', 'resources/list', 'nope', 'initialize'])
      await keep(gateway.rpc(method, {}, { path: '/mcp' }))
    await eventually(10_000, async () => {
      const { body } = await gateway.manage('GET', '/api/v1/audit?limit=1000&outcome=unknown_tool')
      expect(body.items.length).toBeGreaterThan(0)
    })
    await keep(gateway.manage('GET', '/api/v1/audit?limit=1000'))
    expect(
      canariesIn(answers.map(({ text, headers }) => text + JSON.stringify([...headers])).join('\n')),
    ).toEqual([])
  })

  it('S59 and no answer tells of stacks, statements, hosts or versions', () => {
    for (const { text } of answers)
      expect(text).not.toMatch(/\n\s+at |select |insert into|drizzle|neon|pglite|workerd|upstash/i)
  })

  it('are in no row, but sealed', async () => {
    await stack.quiet()
    const tables = await stack.query(`select tablename from pg_tables where schemaname = 'public'`)
    for (const { tablename } of tables) {
      const rows = await stack.query(`select row_to_json("${tablename}".*)::text as row from "${tablename}"`)
      const text = rows.map(({ row }) => row).join('\n')
      // A fixed header is a setting like the address.
      const found = canariesIn(text).filter(
        (found) => !(tablename === 'services' && found === 'canary-fixed-header-'),
      )
      expect([tablename, found]).toEqual([tablename, []])
    }
  })

  it('S58 S61 are in no line of the log, and each line is one record', () => {
    expect(said).toContain('call_failed')
    expect(canariesIn(said)).toEqual([])
    for (const line of said.split('\n').filter((line) => line !== ''))
      expect(() => JSON.parse(line)).not.toThrow()
  })

  it('are in nothing that Durable Objects keep', async () => {
    await stack.kill(gateway)
    const names = await readdir(dataDirectory, { recursive: true, withFileTypes: true })
    const files = names.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
    expect(files.length).toBeGreaterThan(2)
    for (const file of files)
      expect([file, canariesIn((await readFile(file)).toString('latin1'))]).toEqual([file, []])
  })
})

/** Which of them a text holds: as they are, in base64 at any offset, in UTF-16. */
function canariesIn(text: string): string[] {
  const plain = text.match(CANARY) ?? []
  const wide = text.replaceAll('\0', '').match(CANARY) ?? []
  const encoded = [0, 1, 2].flatMap((offset) => {
    const piece = Buffer.from(`${'x'.repeat(offset)}canary-`).toString('base64')
    const core = piece.slice(offset === 0 ? 0 : offset + 1, 8)
    return text.includes(core) ? [core] : []
  })
  const stores = madeSecrets.filter((secret) => text.includes(secret))
  return [...new Set([...plain, ...wide, ...encoded, ...stores])]
}
