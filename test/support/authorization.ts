/**
 * A real authorization server (`oidc-provider`) with one user, who is always there and agrees to as much as `agreed`
 * says; and that user's browser, which follows redirects until they lead back to the client.
 */
import { once } from 'node:events'
import { createServer } from 'node:http'
import { exportJWK, generateKeyPair } from 'jose'
import { type Context, type Grant, interactionPolicy, Provider } from 'oidc-provider'
import { findFreePort } from '../../local/port.ts'
import { SCOPES } from '../../src/identity/scope.ts'

export const REDIRECT_URL = 'http://127.0.0.1:1/callback'

export type Authorization = Awaited<ReturnType<typeof startAuthorization>>

export async function startAuthorization() {
  const port = await findFreePort()
  const issuer = `http://127.0.0.1:${port}`
  const { privateKey } = await generateKeyPair('RS256', { extractable: true })
  const agreed = new Set<string>(SCOPES)
  const policy = interactionPolicy.base()
  policy.remove('consent')
  const provider = new Provider(issuer, {
    jwks: { keys: [{ ...(await exportJWK(privateKey)), alg: 'RS256', use: 'sig', kid: 'k1' }] },
    cookies: { keys: ['a-cookie-key-of-the-tests'] },
    scopes: ['openid', ...SCOPES],
    ttl: { AccessToken: 600, Grant: 600, Interaction: 600, Session: 600 },
    features: {
      devInteractions: { enabled: false },
      registration: { enabled: true },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: (_: Context, resource: string) => ({
          scope: SCOPES.join(' '),
          audience: resource,
          accessTokenFormat: 'jwt',
        }),
      },
    },
    findAccount: (_: Context, accountId: string) => ({ accountId, claims: () => ({ sub: accountId }) }),
    interactions: { policy, url: () => '/interaction' },
    loadExistingGrant: (context: Context) => grant(context, agreed),
  })
  const serve = provider.callback()
  const server = createServer((request, response) => {
    if (request.url !== '/interaction') return serve(request, response)
    void provider.interactionFinished(request, response, { login: { accountId: 'ada' } })
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  return {
    issuer,
    /** What the user agrees to. */
    agreed,
    close: async (): Promise<void> => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

async function grant({ oidc }: Context, agreed: ReadonlySet<string>): Promise<Grant> {
  const { client, session, resourceServers, params, provider } = oidc
  const made = new provider.Grant({ clientId: client.clientId, accountId: session.accountId })
  for (const resource of Object.keys(resourceServers)) {
    for (const scope of String(params['scope']).split(' ')) {
      if (agreed.has(scope)) made.addResourceScope(resource, scope)
      else made.rejectResourceScope(resource, scope)
    }
  }
  await made.save()
  return made
}

/** What the client is handed at its redirect URL. */
export async function browse(url: URL): Promise<URLSearchParams> {
  const jar = new Map<string, string>()
  let at = url
  for (let hop = 0; hop < 10; hop++) {
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ')
    const response = await fetch(at, { redirect: 'manual', headers: { cookie } })
    for (const set of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(set) ?? []
      jar.set(name, value)
    }
    const location = response.headers.get('location')
    if (location === null) throw new Error(`The browser is stuck at ${at}: ${await response.text()}`)
    at = new URL(location, at)
    if (at.href.startsWith(REDIRECT_URL)) return at.searchParams
  }
  throw new Error('The browser was sent in circles.')
}
