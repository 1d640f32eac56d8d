/** What a credential is limited to: who lacks a scope is told all that is needed, at once, and no upstream hears. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CALL, expectEcho, openYard, send, type Yard } from '../support/base.ts'
import type { Answer, Gateway } from '../support/gateway.ts'
import { type Issuer, PUBLIC_URL, startIssuer } from '../support/issuer.ts'

const READER = '{"name":"reader","inputSchema":{"type":"object"},"annotations":{"readOnlyHint":true}}'
const METADATA = `${PUBLIC_URL}/.well-known/oauth-protected-resource`
const challenge = (scopes: string, place = '/mcp'): string =>
  `Bearer realm="switchyard", error="insufficient_scope", scope="${scopes}", resource_metadata="${METADATA}${place}"`

let yard: Yard
let issuer: Issuer
let gateway: Gateway
beforeAll(async () => {
  ;[yard, issuer] = await Promise.all([openYard({ tools: [READER] }), startIssuer()])
  gateway = await yard.stack.gateway({ OIDC_ISSUER: issuer.url, PUBLIC_URL })
  expect((await gateway.register('trusted', yard.upstream.url, { trusted: true })).status).toBe(201)
})
afterAll(async () => {
  await yard.close()
  await issuer.close()
})

const bearer = async (claims: object): Promise<{ authorization: string }> => ({
  authorization: `Bearer ${await issuer.sign({ scope: undefined, ...claims })}`,
})
const call = (name: string) => ({ body: { ...CALL, params: { ...CALL.params, name } } })

function expectLacking(answer: Answer, scopes: string): void {
  expect(answer.status).toBe(403)
  expect(answer.headers.get('www-authenticate')).toBe(challenge(scopes))
  expect(answer.body.error).toMatchObject({ code: -31403, data: { scope: scopes } })
}

const lists = (headers: Record<string, string>): Promise<Answer> =>
  gateway.modern('tools/list', {}, { headers })

describe('a token', () => {
  it.each<[string, object]>([
    ['with mcp:write', { scope: 'mcp:write' }],
    ['S25 with mcp:admin alone', { scope: 'mcp:admin' }],
    ['with scopes of others besides', { scope: 'openid mcp:write profile' }],
    ['of an issuer that writes scp', { scp: ['mcp:write'] }],
    ['of an issuer that limits nothing', {}],
  ])('%s may list and call', async (_, claims) => {
    const headers = await bearer(claims)
    expect((await lists(headers)).status).toBe(200)
    expectEcho(await send(gateway, { headers }))
  })

  it('B34 S24 with mcp:read may list, and is told all that a call needs, in both eras', async () => {
    const headers = await bearer({ scope: 'mcp:read' })
    expect((await lists(headers)).body.result.tools.length).toBeGreaterThan(1)
    const before = yard.upstream.requests.length
    expectLacking(await send(gateway, { headers }), 'mcp:read mcp:write')
    expectLacking(await gateway.rpc('tools/call', { name: 'echo' }, { headers }), 'mcp:read mcp:write')
    expect(yard.upstream.requests.length).toBe(before)
  })

  it('B34 with nothing of ours may not even list', async () => {
    for (const claims of [{ scope: 'openid' }, { scope: '' }, { scp: [] }, { scope: 'mcp:reader write' }]) {
      const headers = await bearer(claims)
      expectLacking(await lists(headers), 'mcp:read')
      expectLacking(await gateway.rpc('initialize', {}, { headers }), 'mcp:read')
    }
  })

  it('S41 with mcp:read may call what only reads, where an operator trusts the service that says so', async () => {
    const headers = await bearer({ scope: 'mcp:read' })
    const given = { name: 'reader', arguments: { text: 'hi' } }
    const reader = (path: string): Promise<Answer> => gateway.rpc('tools/call', given, { path, headers })
    expect((await reader('/mcp/trusted')).body.result.content[0].text).toBe('hi')
    expect((await reader('/mcp/fixture')).status).toBe(403)
    const echo = await gateway.rpc('tools/call', { name: 'echo' }, { path: '/mcp/trusted', headers })
    expect(echo.status).toBe(403)
  })

  it('B34 in a batch is told for each message alone', async () => {
    const headers = { ...(await bearer({ scope: 'mcp:read' })), 'mcp-protocol-version': '2025-03-26' }
    const messages = [
      { jsonrpc: '2.0', id: 1, method: 'tools/list' },
      { jsonrpc: '2.0', id: 2, method: 'tools/call', params: { name: 'echo' } },
    ]
    const { status, body } = await gateway.post(JSON.stringify(messages), { headers })
    expect([status, body.length]).toEqual([200, 2])
    expect(body[0].result.tools.length).toBeGreaterThan(1)
    expect(body[1]).toMatchObject({ id: 2, error: { code: -31403, data: { scope: 'mcp:read mcp:write' } } })
  })

  it('with mcp:read hears of an unknown tool what everybody hears', async () => {
    const headers = await bearer({ scope: 'mcp:read' })
    const unknown = { ...call('nope'), headers: { ...headers, 'mcp-name': 'nope' } }
    const { body } = await send(gateway, unknown)
    expect(body.error).toEqual({ code: -32602, message: 'Unknown tool: nope' })
  })
})

describe('the management API', () => {
  it('is open to mcp:admin, and tells others to ask for it', async () => {
    const list = async (claims: object): Promise<Answer> =>
      gateway.fetch('/api/v1/servers', { headers: await bearer(claims) })
    expect((await list({ scope: 'mcp:admin' })).status).toBe(200)
    const refused = await list({ scope: 'mcp:write' })
    expect([refused.status, refused.body.code]).toEqual([403, 'forbidden'])
    expect(refused.headers.get('www-authenticate')).toBe(challenge('mcp:read mcp:write mcp:admin', ''))
  })

  it('S19 does not believe a role, a scope or an organisation that a header names', async () => {
    const headers = { ...(await bearer({ scope: 'mcp:write', role: 'admin', roles: ['admin'] })) }
    const claimed = { ...headers, 'x-role': 'admin', 'x-scope': 'mcp:admin', 'x-organisation': 'default' }
    expect((await gateway.fetch('/api/v1/servers', { headers: claimed })).status).toBe(403)
  })
})
