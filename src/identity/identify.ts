/**
 * Credentials → principal. Static credentials are compared by their digests, in constant time; a verified
 * one is remembered, so that a warm call hashes nothing. A credential that is present and wrong is refused
 * even where anonymous callers are admitted (S18).
 */
import type { Secret } from '../platform/secret.ts'
import { err, ok, type Result } from '../platform/result.ts'
import { readCredential } from './credential.ts'
import { DEFAULT_ORGANISATION, type Principal } from './principal.ts'

export type IdentitySettings = {
  readonly apiKey: Secret
  readonly bearerToken: Secret
  readonly tokenManages: boolean
  readonly auth: 'required' | 'open'
}

/** `missing`: no credential. `invalid`: one that does not count. Why is nobody's business. */
export type Unidentified = 'missing' | 'invalid'

type Identified = Result<Principal, Unidentified> | Promise<Result<Principal, Unidentified>>

const ANONYMOUS: Principal = {
  organisationId: DEFAULT_ORGANISATION,
  subject: 'anonymous',
  role: 'user',
  mayManage: false,
}
const MAX_REMEMBERED = 1_000

export class Identity {
  readonly #settings: IdentitySettings
  readonly #known: readonly { readonly secret: Secret; readonly principal: Principal }[]
  readonly #remembered = new Map<string, Principal>()

  constructor(settings: IdentitySettings) {
    this.#settings = settings
    const organisationId = DEFAULT_ORGANISATION
    this.#known = [
      {
        secret: settings.apiKey,
        principal: { organisationId, subject: 'api-key', role: 'admin', mayManage: true },
      },
      {
        secret: settings.bearerToken,
        principal: {
          organisationId,
          subject: 'bearer-token',
          role: 'user',
          mayManage: settings.tokenManages,
        },
      },
    ]
  }

  /** The principal, anonymous where that is admitted; at once for a credential seen before. */
  identify(headers: Headers): Identified {
    const isAnonymous = this.#settings.auth === 'open' && readCredential(headers).is === 'none'
    return isAnonymous ? ok(ANONYMOUS) : this.authenticate(headers)
  }

  /** The principal that a credential proves; nobody is anonymous here. */
  authenticate(headers: Headers): Identified {
    const credential = readCredential(headers)
    if (credential.is === 'malformed') return err('invalid')
    if (credential.is === 'none') return err('missing')
    const remembered = this.#remembered.get(credential.value)
    return remembered ? ok(remembered) : this.#verify(credential.value)
  }

  async #verify(value: string): Promise<Result<Principal, Unidentified>> {
    const given = await digest(value)
    let found: Principal | undefined
    for (const { secret, principal } of this.#known) {
      if (isEqual(given, await digest(secret.reveal()))) found ??= principal
    }
    if (!found) return err('invalid')
    if (this.#remembered.size >= MAX_REMEMBERED) this.#remembered.clear()
    this.#remembered.set(value, found)
    return ok(found)
  }
}

const digest = async (text: string): Promise<Uint8Array> =>
  new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)))

/** Constant time: every byte is looked at. */
function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  let difference = 0
  for (let at = 0; at < a.length; at++) difference |= (a[at] ?? 0) ^ (b[at] ?? 0)
  return difference === 0
}
