/** Addresses that upstreams and callers name: whatever they are in, nobody goes there. A canary listens at all of them. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { HEADERS, openYard, send, type Yard } from '../support/base.ts'
import { type Canary, startCanary } from '../support/canary.ts'
import { STAYS_CLOSED } from '../support/gateway.ts'
import { startUpstream, type Upstream } from '../support/upstream.ts'

const KEY = 'a-key-of-the-service'
const REDIRECTS = [301, 302, 303, 307, 308]

let canary: Canary
let yard: Yard
let keyed: Upstream

beforeAll(async () => {
  canary = await startCanary()
  const icons = [{ src: `${canary.url}/icon.png`, mimeType: 'image/png' }]
  const $ref = `${canary.url}/schema.json`
  const inputSchema = { $schema: $ref, type: 'object', properties: { a: { $ref } }, allOf: [{ $ref }] }
  yard = await openYard({
    tools: [{ name: 'pointing', icons, inputSchema, outputSchema: { ...inputSchema, $id: $ref } }],
    resources: [{ uri: `${canary.url}/resource`, name: 'there', icons }],
    templates: [{ uriTemplate: `${canary.url}/{path}`, name: 'template', icons }],
    prompts: [{ name: 'prompt', icons }],
    instructions: `Read ${canary.url}/instructions first.`,
  })
  keyed = await startUpstream({ era: 'legacy', auth: { header: 'x-service-key', value: KEY } })
  const auth = { type: 'api-key', apiKey: KEY, header: 'X-Service-Key' }
  expect((await yard.gateway.register('keyed', keyed.url, { auth, ...STAYS_CLOSED })).status).toBe(201)
})
afterEach(() => {
  expect(canary.requests).toEqual([])
  keyed.dial.clear()
})
afterAll(async () => {
  await Promise.all([yard.close(), keyed.stop(), canary.close()])
})

const call = () => yard.gateway.rpc('tools/call', { name: 'echo' }, { path: '/mcp/keyed' })
const answerWith = (status: number, headers: Record<string, string>, method?: string): void =>
  void keyed.dial.set({ is: 'respond', status, headers, body: '', ...(method && { for: method }) })

it('the canary hears whoever comes', async () => {
  await fetch(canary.url)
  expect(canary.requests.splice(0).length).toBe(1)
})

describe('a redirect', () => {
  it.each(REDIRECTS)(
    'S06 S07 by %d of a call is not followed, and its credential goes nowhere',
    async (status) => {
      answerWith(status, { location: `${canary.url}/mcp` }, 'tools/call')
      const before = keyed.requests.length
      const { body } = await call()
      expect([body.error.code, body.error.data]).toEqual([-31502, { upstream: 'keyed' }])
      expect(body.error.message).toContain('redirects are not followed')
      expect(keyed.requests.length).toBe(before + 1)
    },
  )

  it.each(REDIRECTS)('S06 S07 by %d of a registration is not followed', async (status) => {
    answerWith(status, { location: `${canary.url}/mcp` })
    const { status: given, body } = await yard.gateway.register('moved', keyed.url)
    expect([given, body.reason]).toEqual([502, 'status'])
  })
})

it.each([401, 403])(
  'S11 a demand for another credential by %d names addresses that nobody asks',
  async (status) => {
    const there = `${canary.url}/.well-known/oauth-protected-resource`
    const challenge = `Bearer realm="${canary.url}", resource_metadata="${there}", authorization_uri="${canary.url}"`
    answerWith(status, { 'www-authenticate': challenge, link: `<${there}>; rel="describedby"` })
    const { status: given, body } = await call()
    expect([given, body.error.code]).toEqual([200, -31511])
    expect(JSON.stringify(body)).not.toContain(canary.url)
    const registered = await yard.gateway.register('demanding', keyed.url)
    expect([registered.status, registered.body.reason]).toEqual([502, 'auth'])
    expect(registered.text).not.toContain(canary.url)
  },
)

describe('what an upstream offers and answers', () => {
  it('S12 is listed with its icons and references, which are not looked at', async () => {
    for (const list of ['tools/list', 'resources/list', 'resources/templates/list', 'prompts/list']) {
      const { text } = await yard.gateway.modern(list)
      expect(text).toContain(`${canary.url}/icon.png`)
    }
    const again = await yard.gateway.manage('POST', '/api/v1/servers/fixture/refresh')
    expect(again.status).toBe(200)
  })

  it("S12 is called and answers with links, which are the caller's to follow", async () => {
    const link = {
      type: 'resource_link',
      uri: `${canary.url}/result`,
      name: 'x',
      icons: [{ src: canary.url }],
    }
    const embedded = { type: 'resource', resource: { uri: `${canary.url}/embedded`, text: '' } }
    yard.upstream.dial.raw = JSON.stringify({ content: [link, embedded] })
    const linked = await send(yard.gateway, { headers: { 'mcp-name': 'raw' }, params: { name: 'raw' } })
    expect(linked.text).toContain(`${canary.url}/result`)
    const args = { a: `${canary.url}/argument` }
    const pointing = await send(yard.gateway, {
      headers: { 'mcp-name': 'pointing' },
      params: { name: 'pointing', arguments: args },
    })
    expect(pointing.status).toBe(200)
  })

  it('S12 a resource is read where it is offered, not where its URI leads', async () => {
    const uri = `${canary.url}/resource`
    const { body } = await yard.gateway.modern('resources/read', { uri }, { headers: { 'mcp-name': uri } })
    expect(body.result.contents[0].uri).toBe(uri)
    expect(yard.upstream.calls('resources/read').at(-1)?.message?.params['uri']).toBe(uri)
  })
})

it('S13 a token that names its own keys is refused, and they are not fetched', async () => {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  const there = `${canary.url}/keys.json`
  for (const named of [{ jku: there }, { x5u: there }, { jwk: { kty: 'oct', k: 'AAAA' } }, { kid: there }]) {
    for (const alg of ['RS256', 'HS256', 'none']) {
      const token = `${part({ alg, typ: 'JWT', ...named })}.${part({ sub: 'admin', iss: canary.url })}.AAAA`
      const answer = await send(yard.gateway, { headers: { ...HEADERS, authorization: `Bearer ${token}` } })
      expect(answer.status).toBe(401)
    }
  }
})

describe('a registration', () => {
  const COMMAND = { command: 'sh', args: ['-c', 'id'], env: { PATH: '/' }, cwd: '/', type: 'stdio' }
  const everywhere: [string, string][] = [
    ['POST', '/api/v1/servers'],
    ['POST', '/register'],
    ['PUT', '/api/v1/servers/keyed'],
    ['PUT', '/update/keyed'],
    ['POST', '/api/v1/servers/keyed/instances'],
  ]

  it.each(everywhere)('S14 that names a command is refused by name: %s %s', async (method, path) => {
    const before = keyed.requests.length
    const isInstance = path.endsWith('instances')
    const body = { ...(!isInstance && { name: 'keyed' }), url: keyed.url, ...COMMAND }
    const answer = await yard.gateway.manage(method, path, body)
    expect([answer.status, answer.body.code]).toEqual([400, 'invalid_body'])
    const fields = answer.body.errors.map(({ field }: { field: string }) => field)
    expect(fields).toEqual(expect.arrayContaining(Object.keys(COMMAND)))
    expect(keyed.requests.length).toBe(before)
  })

  it.each(everywhere)('S14 is for operators alone: %s %s', async (method, path) => {
    const agents = await yard.stack.gateway({ MCP_TOKEN_MANAGES: undefined })
    const headers = { authorization: HEADERS.authorization, 'content-type': 'application/json' }
    const body = JSON.stringify({ name: 'other', url: keyed.url })
    const before = keyed.requests.length
    expect((await agents.fetch(path, { method, headers, body })).status).toBe(403)
    expect(keyed.requests.length).toBe(before)
  })
})
