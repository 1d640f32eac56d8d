/**
 * Upstream credentials: sealed in the row of their service, opened in memory only. Bound to organisation and
 * service, so a sealed text copied to another row opens nowhere (S31).
 */
import { Secret } from '../platform/secret.ts'
import { isObject } from '../protocol/message.ts'
import type { ServiceRecord } from '../registry/image.ts'
import type { UpstreamAuth } from '../upstream/connection.ts'
import type { Sealer } from '../platform/seal.ts'

const MAX_OPENED = 1_000

export class CredentialStore {
  readonly #sealer: Sealer
  readonly #organisationId: string
  readonly #opened = new Map<string, UpstreamAuth>()

  constructor(sealer: Sealer, organisationId: string) {
    this.#sealer = sealer
    this.#organisationId = organisationId
  }

  async seal(auth: UpstreamAuth, serviceId: string): Promise<string | undefined> {
    if (auth.type === 'none') return undefined
    const plain =
      auth.type === 'bearer'
        ? { ...auth, token: auth.token.reveal() }
        : { ...auth, apiKey: auth.apiKey.reveal() }
    return await this.#sealer.seal(new TextEncoder().encode(JSON.stringify(plain)), this.#context(serviceId))
  }

  /** The credential of a service; `undefined` when what is stored was not sealed here for it. */
  open(service: ServiceRecord): UpstreamAuth | Promise<UpstreamAuth | undefined> {
    if (service.sealedAuth === undefined) return { type: 'none' }
    return this.#opened.get(service.sealedAuth) ?? this.#unseal(service.id, service.sealedAuth)
  }

  async #unseal(serviceId: string, sealed: string): Promise<UpstreamAuth | undefined> {
    const plain = await this.#sealer.open(sealed, this.#context(serviceId))
    const auth = plain && readAuth(new TextDecoder().decode(plain))
    if (!auth) return undefined
    if (this.#opened.size >= MAX_OPENED) this.#opened.clear()
    this.#opened.set(sealed, auth)
    return auth
  }

  #context(serviceId: string): string {
    return `${this.#organisationId}|${serviceId}`
  }
}

function readAuth(text: string): UpstreamAuth | undefined {
  const value: unknown = JSON.parse(text)
  if (!isObject(value)) return undefined
  const { type, token, apiKey, header } = value
  if (type === 'bearer' && typeof token === 'string') return { type, token: new Secret(token) }
  if (type !== 'api-key' || typeof apiKey !== 'string' || typeof header !== 'string') return undefined
  return { type, apiKey: new Secret(apiKey), header }
}
