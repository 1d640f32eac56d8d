/**
 * Upstream credentials: sealed in the row of their service, opened in memory only. Bound to organisation and
 * service, so a sealed text copied to another row opens nowhere (S31).
 */
import { Secret } from '../platform/secret.ts'
import { isObject } from '../protocol/message.ts'
import type { ServiceRecord } from '../registry/image.ts'
import type { UpstreamAuth } from '../upstream/connection.ts'
import { type Grant, REJECTIONS } from '../upstream/grant.ts'
import type { Sealer } from '../platform/seal.ts'

const MAX_OPENED = 10_000

/** Whose it is, and what is stored of it. */
export type Sealed = Pick<ServiceRecord, 'id' | 'sealedAuth'>

export class CredentialStore {
  readonly #sealer: Sealer
  readonly #organisationId: string
  /** By service: what one service's opens must not be found for another's. */
  readonly #opened = new Map<string, { readonly sealed: string; readonly auth: UpstreamAuth }>()

  constructor(sealer: Sealer, organisationId: string) {
    this.#sealer = sealer
    this.#organisationId = organisationId
  }

  async seal(auth: UpstreamAuth, serviceId: string): Promise<string | undefined> {
    if (auth.type === 'none') return undefined
    const plain = new TextEncoder().encode(writeAuth(auth))
    return await this.#sealer.seal(plain, this.#context(serviceId))
  }

  /** The credential of a service; `undefined` when what is stored was not sealed here for it. */
  open({ id, sealedAuth }: Sealed): UpstreamAuth | Promise<UpstreamAuth | undefined> {
    if (sealedAuth === undefined) return NONE
    const known = this.#opened.get(id)
    return known?.sealed === sealedAuth ? known.auth : this.#unseal(id, sealedAuth)
  }

  /** The same under the present key; `undefined`: it is, or it opens under none. */
  async resealed({ id, sealedAuth }: Sealed): Promise<string | undefined> {
    if (sealedAuth === undefined || !this.#sealer.hasPrevious) return undefined
    if (await this.#sealer.isPresent(sealedAuth, this.#context(id))) return undefined
    const auth = await this.#unseal(id, sealedAuth)
    return auth && (await this.seal(auth, id))
  }

  async #unseal(serviceId: string, sealed: string): Promise<UpstreamAuth | undefined> {
    const plain = await this.#sealer.open(sealed, this.#context(serviceId))
    const auth = plain && readAuth(new TextDecoder().decode(plain))
    if (!auth) return undefined
    if (this.#opened.size >= MAX_OPENED) this.#opened.clear()
    this.#opened.set(serviceId, { sealed, auth })
    return auth
  }

  #context(serviceId: string): string {
    return `${this.#organisationId}|${serviceId}`
  }
}

const NONE: UpstreamAuth = { type: 'none' }

/** The one place where secrets become text, on their way under the seal. */
const writeAuth = (auth: UpstreamAuth): string =>
  JSON.stringify(
    Object.fromEntries(
      Object.entries(auth).map(([name, value]) => [name, value instanceof Secret ? value.reveal() : value]),
    ),
  )

function readAuth(text: string): UpstreamAuth | undefined {
  const value: unknown = JSON.parse(text)
  if (!isObject(value)) return undefined
  const { type, token, apiKey, header } = value
  if (type === 'oauth2') return readGrant(value)
  if (type === 'bearer' && typeof token === 'string') return { type, token: new Secret(token) }
  if (type !== 'api-key' || typeof apiKey !== 'string' || typeof header !== 'string') return undefined
  return { type, apiKey: new Secret(apiKey), header }
}

function readGrant(value: Readonly<Record<string, unknown>>): Grant | undefined {
  const text = (name: keyof Grant): string | undefined =>
    typeof value[name] === 'string' ? value[name] : undefined
  const number = (name: keyof Grant): number | undefined =>
    typeof value[name] === 'number' ? value[name] : undefined
  const [accessToken, refreshToken] = [text('accessToken'), text('refreshToken')]
  const [tokenUrl, clientId, clientSecret] = [text('tokenUrl'), text('clientId'), text('clientSecret')]
  const [receivedAt, setAt, turn] = [number('receivedAt'), number('setAt'), number('turn')]
  if (accessToken === undefined || refreshToken === undefined) return undefined
  if (tokenUrl === undefined || clientId === undefined) return undefined
  if (receivedAt === undefined || setAt === undefined || turn === undefined) return undefined
  return {
    type: 'oauth2',
    accessToken: new Secret(accessToken),
    refreshToken: new Secret(refreshToken),
    tokenUrl,
    clientId,
    clientSecret: clientSecret === undefined ? undefined : new Secret(clientSecret),
    scope: text('scope'),
    receivedAt,
    expiresAt: number('expiresAt'),
    setAt,
    turn,
    rejection: REJECTIONS.find((known) => known === value['rejection']),
  }
}
