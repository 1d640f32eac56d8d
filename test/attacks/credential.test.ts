/** An upstream's credential goes to its upstream and its token endpoint, and is seen nowhere else. */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type AuthorizationServer, startAuthorizationServer } from '../support/token-endpoint.ts'
import { type Answer, eventually, type Gateway } from '../support/gateway.ts'
import { startStack, type Stack } from '../support/stack.ts'
import { startUpstream, type Upstream } from '../support/upstream.ts'

const ENDED = '2026-01-01T00:00:00Z'
const SECRET = 'the-secret-of-the-client'

let stack: Stack
let gateway: Gateway
let directory: string
let authorization: AuthorizationServer
let upstream: Upstream
let said = ''
beforeAll(async () => {
  stack = await startStack()
  directory = await mkdtemp(join(tmpdir(), 'secrets-'))
  const sink = (text: string): void => void (said += text)
  gateway = await stack.gateway({ LOG_LEVEL: 'debug' }, { sink, dataDirectory: directory })
  authorization = await startAuthorizationServer()
  authorization.clientSecret = SECRET
  upstream = await startUpstream({
    era: 'legacy',
    auth: { header: 'authorization', value: authorization.accepts },
  })
})
afterAll(async () => {
  await stack.close()
  await Promise.all([upstream.stop(), authorization.stop()])
  await rm(directory, { recursive: true })
})

const call = (name: string): Promise<Answer> =>
  gateway.rpc('tools/call', { name: 'echo', arguments: { text: 'x' } }, { path: `/mcp/${name}` })
const register = (name: string, rest: object = {}, url = upstream.url): Promise<Answer> =>
  gateway.register(name, url, { auth: authorization.signIn(rest) })

/** Everything that is written below a directory. */
async function dump(path: string): Promise<string> {
  const files = await readdir(path, { recursive: true, withFileTypes: true })
  const texts = files
    .filter((file) => file.isFile())
    .map((file) => readFile(join(file.parentPath, file.name), 'latin1'))
  return (await Promise.all(texts)).join('\n')
}

it('S58 no token and no secret is in an answer, a log line, an audit row or the storage of an object', async () => {
  const answers = [await register('canary', { expiresAt: ENDED }), await call('canary')]
  authorization.fault = { is: 'respond', status: 500, body: [...authorization.given].join() }
  answers.push(await register('away', { expiresAt: ENDED }), await call('away'))
  authorization.fault = undefined
  answers.push(await register('spent', { expiresAt: ENDED }))
  authorization.revokeAll()
  answers.push(await call('spent'), await register('refused'), await register('odd', { tokenUrl: 'odd' }))
  for (const name of ['canary', 'away', 'spent']) {
    for (const path of ['', '/definition', '/metrics', '/health', '/instances'])
      answers.push(await gateway.manage('GET', `/api/v1/servers/${name}${path}`))
    answers.push(await gateway.manage('PUT', `/api/v1/servers/${name}`, { timeoutMs: 1_000 }))
  }
  for (const path of ['/health', '/api/v1/servers', '/mcp/services/spent/metrics'])
    answers.push(await gateway.manage('GET', path))
  await eventually(5_000, () => expect(said).toContain('credential_rejected'))
  const rows = await stack.query('select * from audit_log')
  const seen: [string, string][] = [
    ['answers', answers.map(({ text, headers }) => text + JSON.stringify([...headers])).join()],
    ['log', said],
    ['audit', JSON.stringify(rows)],
    ['rows', JSON.stringify(await stack.query('select * from services'))],
    ['objects', await dump(directory)],
  ]
  for (const [where, text] of seen) {
    expect(text.length, where).toBeGreaterThan(100)
    for (const secret of [SECRET, ...authorization.given])
      expect(text.includes(secret), `${secret} in ${where}`).toBe(false)
  }
})

it('S31 a sealed credential in the row of another service opens there for nobody', async () => {
  const thief = await startUpstream({ era: 'legacy' })
  expect((await register('robbed')).status).toBe(201)
  expect((await gateway.register('thief', thief.url, { auth: { type: 'bearer', token: 't' } })).status).toBe(
    201,
  )
  for (const name of ['robbed', 'thief']) expect((await call(name)).body.result.content[0].text).toBe('x')
  await stack.query(
    `update services set sealed_auth = (select sealed_auth from services where name = 'robbed') where name = 'thief'`,
  )
  await stack.query('update registry_versions set version = version + 1')
  // The one has opened nothing yet, the other both.
  for (const each of [await stack.gateway(), gateway]) {
    await eventually(5_000, async () => {
      const params = { name: 'echo', arguments: { text: 'x' } }
      expect((await each.rpc('tools/call', params, { path: '/mcp/thief' })).body.error?.code).toBe(-31511)
    })
  }
  expect((await call('robbed')).body.result.content[0].text).toBe('x')
  const sent = new Set(thief.requests.map(({ headers }) => headers.authorization))
  expect([...sent]).toEqual(['Bearer t'])
  await thief.stop()
})

describe('a token endpoint', () => {
  it.each([
    'javascript:alert(1)',
    'data:application/json,{}',
    'file:///etc/passwd',
    'http://169.254.169.254/token',
    'https://user:hunter2@example.com/token',
  ])('S30 S02 at %s is refused, and nothing is stored', async (tokenUrl) => {
    const { status, body, text } = await register('bad', { tokenUrl })
    expect([status, body.code]).toEqual([422, 'upstream_address_refused'])
    expect(body.errors[0].field).toBe('auth.tokenUrl')
    expect(text).not.toMatch(/alert|passwd|hunter2/)
    expect((await gateway.manage('GET', '/api/v1/servers/bad')).status).toBe(404)
  })

  it('S01 without https is refused where private addresses are not allowed', async () => {
    const closed = await stack.gateway({ ALLOW_PRIVATE_UPSTREAMS: undefined })
    const auth = authorization.signIn()
    const { status, body } = await closed.register('bad', 'https://example.com/mcp', { auth })
    expect([status, body.errors[0].field]).toEqual([422, 'auth.tokenUrl'])
  })
})

it('S11 what a 401 of an upstream names is never fetched', async () => {
  const fetched: (string | undefined)[] = []
  const lure = createServer((request, response) => {
    fetched.push(request.url)
    response.end('{}')
  }).listen(0, '127.0.0.1')
  const address = lure.address()
  const origin = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`
  expect((await register('lured')).status).toBe(201)
  const challenge = `Bearer resource_metadata="${origin}/metadata", as_uri="${origin}/as", token_endpoint="${origin}/token"`
  upstream.dial.set({ is: 'respond', status: 401, headers: { 'www-authenticate': challenge } })
  const { body, headers } = await call('lured')
  upstream.dial.clear()
  expect(body.error.code).toBe(-31511)
  expect(headers.get('www-authenticate')).toBeNull()
  expect(fetched).toEqual([])
  lure.close()
})
