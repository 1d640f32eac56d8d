/**
 * The gateway as an OAuth resource: who issues tokens for it, and where that is written (RFC 9728). Every URL here is
 * built from the setting, or from the address that the runtime saw; headers of proxies are never read (S19).
 */
import { SCOPES } from './scope.ts'

const WELL_KNOWN = '/.well-known/oauth-protected-resource'
const SLUG = /^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$/
const MAX_AGE_S = 300
/** Public by its nature, so any page may read it. Clients ask with a header of their own. */
const OPEN = {
  'access-control-allow-origin': '*',
  'access-control-allow-methods': 'GET, OPTIONS',
  'access-control-allow-headers': 'mcp-protocol-version',
} as const

/** What is a resource here: the whole origin (root), everything behind `/mcp`, or one endpoint below it. */
export const METADATA_PATHS = [WELL_KNOWN, `${WELL_KNOWN}/mcp`, `${WELL_KNOWN}/mcp/:service`] as const

export class ProtectedResource {
  readonly #issuer: string | undefined
  readonly #publicUrl: string | undefined

  constructor(issuer: string | undefined, publicUrl: string | undefined) {
    this.#issuer = issuer
    this.#publicUrl = publicUrl
  }

  /** The document for this request; `undefined` where nobody issues tokens, or there is no such resource. */
  describe({ method, url }: Request): Response | undefined {
    const path = new URL(url).pathname.slice(WELL_KNOWN.length)
    if (this.#issuer === undefined || !isResource(path)) return undefined
    if (method === 'OPTIONS') return new Response(null, { status: 204, headers: OPEN })
    const document = {
      resource: `${this.#originOf(url)}${path}`,
      authorization_servers: [this.#issuer],
      scopes_supported: SCOPES,
      bearer_methods_supported: ['header'],
      resource_name: 'Switchyard',
    }
    return Response.json(document, { headers: { ...OPEN, 'cache-control': `public, max-age=${MAX_AGE_S}` } })
  }

  /** A challenge says where to learn who issues tokens (RFC 9728, section 5.1); other responses stay as they are. */
  announce({ url }: Request, response: Response): Response {
    if (response.status !== 401 && response.status !== 403) return response
    const said = response.headers.get('www-authenticate')
    if (said === null || this.#issuer === undefined) return response
    const path = new URL(url).pathname
    const place = `${this.#originOf(url)}${WELL_KNOWN}${isResource(path) ? path : ''}`
    response.headers.set('www-authenticate', `${said}, resource_metadata="${place}"`)
    return response
  }

  #originOf(url: string): string {
    // A host name may hold a quote, which would end the parameter that it stands in.
    return this.#publicUrl ?? new URL(url).origin.replaceAll('"', '%22')
  }
}

function isResource(path: string): boolean {
  const [, first, slug, ...rest] = path.split('/')
  if (path === '' || path === '/mcp') return true
  return first === 'mcp' && slug !== undefined && SLUG.test(slug) && rest.length === 0
}
