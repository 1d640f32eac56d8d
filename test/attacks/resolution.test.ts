/** Names that lead into private space: when a service is stored, and when it is called (S08, S09). */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { openYard, type Yard } from '../support/base.ts'
import { eventually, type Gateway } from '../support/gateway.ts'
import { startResolver, type StubResolver } from '../support/resolver.ts'

/** No server is called so, wherever this runs. */
const HOST = 'mcp.switchyard-tests.example'
const URL_THERE = `https://${HOST}/mcp`
const PUBLIC = '93.184.215.14'
const STORED = { fallbackTools: [{ name: 'echo', inputSchema: { type: 'object' } }] }

let yard: Yard
let resolver: StubResolver
let gateway: Gateway
const open = () =>
  yard.stack.gateway({ ALLOW_PRIVATE_UPSTREAMS: undefined, DOH_URL: resolver.url, LOG_LEVEL: 'error' })

beforeAll(async () => {
  ;[yard, resolver] = await Promise.all([openYard(), startResolver()])
  gateway = await open()
})
afterAll(async () => {
  await yard.close()
  await resolver.close()
})
beforeEach(() => {
  resolver.names.clear()
  resolver.fault = undefined
  resolver.delayMs = 0
  resolver.asked.length = 0
})

describe('a service', () => {
  const refused = async (body: object, field: string): Promise<void> => {
    const before = yard.upstream.requests.length
    const answer = await gateway.manage('POST', '/api/v1/servers', { name: 'astray', ...STORED, ...body })
    expect([answer.status, answer.body.code]).toEqual([422, 'upstream_address_refused'])
    expect([answer.body.reason, answer.body.errors[0].field]).toEqual(['address', field])
    expect((await gateway.manage('GET', '/api/v1/servers/astray')).status).toBe(404)
    expect(yard.upstream.requests.length).toBe(before)
  }

  it.each([
    ['S09', '127.0.0.1.nip.io', ['127.0.0.1']],
    ['S08', HOST, ['169.254.169.254']],
    ['S08', HOST, [PUBLIC, '10.0.0.1']],
    ['S08', HOST, ['::ffff:127.0.0.1']],
    ['S08', HOST, [PUBLIC, 'fd00:ec2::254']],
  ])('%s is refused at %s, which leads to %j', async (_, host, addresses) => {
    resolver.names.set(host, addresses)
    await refused({ url: `https://${host}/mcp` }, 'url')
    expect(resolver.asked).toEqual(expect.arrayContaining([`${host} A`, `${host} AAAA`]))
  })

  it('S08 is refused with one instance astray', async () => {
    resolver.names.set(HOST, [PUBLIC]).set('other.example', ['192.168.1.1'])
    await refused({ url: URL_THERE, instances: [{ url: 'https://other.example/mcp' }] }, 'instances.0.url')
  })

  it('S08 is refused with a token endpoint astray', async () => {
    resolver.names.set(HOST, [PUBLIC]).set('as.example', ['10.0.0.1'])
    const tokens = { accessToken: 'a', refreshToken: 'r', clientId: 'c' }
    const auth = { type: 'oauth2', tokenUrl: 'https://as.example/token', ...tokens }
    await refused({ url: URL_THERE, auth }, 'auth.tokenUrl')
  })

  it.each([
    ['is cut off', 'cut' as const],
    ['fails', { status: 500, body: '' }],
    ['redirects', { status: 302, body: '' }],
    ['says no JSON', { status: 200, body: '<html>' }],
    ['failed to look', { status: 200, body: '{"Status":2}' }],
  ])('S08 is not let in unseen where the resolver %s', async (_, fault) => {
    resolver.fault = fault
    const { status, body } = await gateway.register('unseen', URL_THERE, STORED)
    expect([status, body.code]).toEqual([503, 'resolver_unavailable'])
    expect(body.detail).toContain('DOH_URL')
    expect((await gateway.manage('GET', '/api/v1/servers/unseen')).status).toBe(404)
  })

  it('S08 is let in where its name leads to public addresses alone, or nowhere yet', async () => {
    resolver.names.set(HOST, [PUBLIC, '2606:4700::1111'])
    expect((await gateway.register('public', URL_THERE, STORED)).status).toBe(201)
    expect((await gateway.register('nowhere', 'https://nowhere.example/mcp', STORED)).status).toBe(201)
    const put = (url: string) => gateway.manage('PUT', '/api/v1/servers/public', { url })
    resolver.names.set('later.example', ['127.0.0.1'])
    expect((await put('https://later.example/mcp')).body.code).toBe('upstream_address_refused')
    resolver.fault = 'cut'
    expect((await put('https://again.example/mcp')).body.code).toBe('resolver_unavailable')
    const slower = await gateway.manage('PUT', '/api/v1/servers/public', { timeoutMs: 1_000 })
    expect([slower.status, slower.body.url]).toEqual([200, URL_THERE])
  })
})

describe('a call', () => {
  beforeAll(async () => {
    // A name that was public when the service was registered.
    await yard.stack.query(`update services set url = '${URL_THERE}' where name = 'fixture'`)
    await yard.stack.query('update registry_versions set version = version + 1')
  })

  /** As an isolate tells it that has never called before. */
  const toldBy = async (fresh: Gateway): Promise<string> => {
    const url = async () => (await fresh.manage('GET', '/api/v1/servers/fixture')).body.url
    await eventually(5_000, async () => expect(await url()).toBe(URL_THERE))
    const { body } = await fresh.rpc('tools/call', { name: 'echo' }, { path: '/mcp/fixture' })
    expect([body.error.code, body.error.data]).toEqual([-31501, { upstream: 'fixture' }])
    return body.error.message
  }

  it('S08 is refused in every new isolate once the name leads into private space', async () => {
    resolver.names.set(HOST, ['127.0.0.1'])
    resolver.delayMs = 500
    const fresh = await open()
    expect(await toldBy(fresh)).toContain('may not be called')
    const { body } = await fresh.manage('POST', '/api/v1/servers/fixture/refresh')
    expect(body.code).toBe('upstream_address_refused')
  })

  it('S08 goes where the name is public, and a second one asks nothing', async () => {
    resolver.names.set(HOST, [PUBLIC])
    const fresh = await open()
    expect(await toldBy(fresh)).not.toContain('may not be called')
    expect(resolver.asked.length).toBeGreaterThan(0)
    const before = resolver.asked.length
    expect(await toldBy(fresh)).not.toContain('may not be called')
    expect(resolver.asked.length).toBe(before)
  })

  it('S08 is refused in an isolate that has called before, as soon as it has looked', async () => {
    resolver.names.set(HOST, [PUBLIC])
    const fresh = await open()
    expect(await toldBy(fresh)).not.toContain('may not be called')
    resolver.names.set(HOST, ['10.0.0.1'])
    await fresh.manage('POST', '/api/v1/servers/fixture/refresh')
    expect(await toldBy(fresh)).toContain('may not be called')
  })

  it('S08 goes while the resolver is away', async () => {
    resolver.fault = 'cut'
    expect(await toldBy(await open())).not.toContain('may not be called')
  })

  it('S08 asks nobody where that is turned off', async () => {
    resolver.names.set(HOST, ['127.0.0.1'])
    const off = await yard.stack.gateway({ ALLOW_PRIVATE_UPSTREAMS: undefined, DOH_URL: 'off' })
    expect(await toldBy(off)).not.toContain('may not be called')
    expect(resolver.asked).toEqual([])
  })
})
