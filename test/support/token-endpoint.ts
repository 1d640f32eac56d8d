/**
 * A fake authorization server whose refresh tokens are good once: a second use of one revokes everything that came of
 * the same grant, as strict servers do. It remembers every request, and has a dial for what goes wrong.
 */
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'

export type TokenFault =
  | { readonly is: 'silent' }
  /** The right answer after `ms`; the token that was brought is spent at once. */
  | { readonly is: 'delay'; readonly ms: number }
  | {
      readonly is: 'respond'
      readonly status: number
      readonly body?: string
      readonly headers?: Readonly<Record<string, string>>
    }

export type Asked = {
  readonly headers: IncomingHttpHeaders
  readonly form: URLSearchParams
  readonly path: string
}

export type Facts = { readonly refreshes: number; readonly asked: number }

type Family = { current: string; isRevoked: boolean; readonly access: Set<string> }

export class AuthorizationServer {
  readonly asked: Asked[] = []
  /** Refresh tokens that were exchanged. */
  refreshes = 0
  fault: TokenFault | undefined
  /** Of the access tokens from here on; absent: not told. */
  expiresIn: number | undefined = 3_600
  /** Whether a refresh token is replaced when it is used. */
  rotates = true
  /** The secret of the client; absent: it has none. */
  clientSecret: string | undefined
  readonly #families = new Map<string, Family>()
  readonly #server = createServer((request, response) => void this.#serve(request, response))
  #port = 0

  get origin(): string {
    return `http://127.0.0.1:${this.#port}`
  }

  get tokenUrl(): string {
    return `${this.origin}/token`
  }

  async start(): Promise<this> {
    this.#server.listen(this.#port, '127.0.0.1')
    await once(this.#server, 'listening')
    const address = this.#server.address()
    if (typeof address === 'object' && address) this.#port = address.port
    return this
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections()
    this.#server.close()
    await once(this.#server, 'close')
  }

  /** What somebody signed in for: the `auth` of a service. */
  signIn(rest: object = {}) {
    const family: Family = { current: '', isRevoked: false, access: new Set() }
    const tokens = this.#issue(family)
    return {
      type: 'oauth2',
      accessToken: tokens.access_token,
      refreshToken: tokens.refresh_token,
      tokenUrl: this.tokenUrl,
      clientId: 'the-gateway',
      ...(this.clientSecret !== undefined && { clientSecret: this.clientSecret }),
      ...rest,
    }
  }

  /** Whether an upstream takes this header. */
  readonly accepts = (authorization: string | undefined): boolean =>
    [...this.#families.values()].some(
      ({ access, isRevoked }) =>
        !isRevoked && [...access].some((token) => authorization === `Bearer ${token}`),
    )

  /** No access token is good any more; refresh tokens are. */
  endAccess(): void {
    for (const { access } of this.#families.values()) access.clear()
  }

  /** Nothing that was given so far is good any more. */
  revokeAll(): void {
    for (const family of this.#families.values()) family.isRevoked = true
  }

  /** Every token that it ever gave. */
  readonly given = new Set<string>()

  #issue(family: Family) {
    const access = `at-${randomUUID()}`
    if (this.rotates || family.current === '') family.current = `rt-${randomUUID()}`
    this.#families.set(family.current, family)
    family.access.add(access)
    for (const token of [access, family.current]) this.given.add(token)
    return { access_token: access, refresh_token: family.current }
  }

  /** For tests inside the runtime, which can look at nothing: a sign-in, or what happened so far. */
  #tell(path: string | undefined): object | undefined {
    if (path === '/sign-in') return this.signIn()
    if (path === '/facts') return { refreshes: this.refreshes, asked: this.asked.length } satisfies Facts
    return undefined
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const told = this.#tell(request.url)
    if (told) {
      response.end(JSON.stringify(told))
      return
    }
    const form = new URLSearchParams(await text(request))
    this.asked.push({ headers: request.headers, form, path: request.url ?? '' })
    const { fault } = this
    if (fault?.is === 'silent') return
    if (fault?.is === 'respond') {
      response
        .writeHead(fault.status, { 'content-type': 'application/json', ...fault.headers })
        .end(fault.body)
      return
    }
    const [status, body] = this.#answer(request.headers, form)
    if (fault?.is === 'delay') await new Promise((resolve) => setTimeout(resolve, fault.ms))
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  }

  #answer(headers: IncomingHttpHeaders, form: URLSearchParams): [number, object] {
    const basic = `Basic ${Buffer.from(`the-gateway:${this.clientSecret}`).toString('base64')}`
    const isKnown =
      this.clientSecret === undefined
        ? form.get('client_id') === 'the-gateway'
        : headers.authorization === basic
    if (!isKnown) return [401, { error: 'invalid_client' }]
    const brought = form.get('refresh_token') ?? ''
    const family = this.#families.get(brought)
    if (!family || family.isRevoked) return [400, { error: 'invalid_grant', error_description: brought }]
    if (brought !== family.current) {
      family.isRevoked = true
      return [400, { error: 'invalid_grant', error_description: `${brought} was used before` }]
    }
    this.refreshes++
    const tokens = this.#issue(family)
    const { expiresIn } = this
    return [
      200,
      { ...tokens, token_type: 'Bearer', ...(expiresIn !== undefined && { expires_in: expiresIn }) },
    ]
  }
}

export const startAuthorizationServer = (): Promise<AuthorizationServer> => new AuthorizationServer().start()
