/**
 * Credentials → principal. What a credential proved is remembered, so that a warm call hashes and verifies nothing;
 * whom it stands for is asked of the directory each time. A credential that is present and wrong is refused even where
 * anonymous callers are admitted (S18).
 */
import type { Background } from '../platform/background.ts'
import type { Clock } from '../platform/clock.ts'
import type { Replica } from '../platform/replica.ts'
import { err, ok, type Result } from '../platform/result.ts'
import { readCredential } from './credential.ts'
import type { Directory, DirectoryImage } from './directory.ts'
import { ANONYMOUS, type Principal } from './principal.ts'
import type { Proof, Verifier } from './proof.ts'
import { isStanding } from './standing.ts'
import { verifySecret, type StaticSecrets } from './static.ts'

export type IdentityPorts = {
  readonly secrets: StaticSecrets
  /** Whether callers without a credential are admitted. */
  readonly auth: 'required' | 'open'
  /** The kinds of credentials besides the static ones. */
  readonly verifiers: readonly Verifier[]
  readonly directory: Replica<DirectoryImage, Directory>
  /** An API key was accepted. Called each time; must cost nothing. */
  readonly noteUse: (keyId: string, background: Background) => void
  readonly clock: Clock
}

/**
 * `missing`: no credential. `invalid`: one that does not count; why is nobody's business. `suspended`: of an
 * organisation that is not served (B35). `unavailable`: it cannot be told at the moment (F53).
 */
export type Unidentified = 'missing' | 'invalid' | 'suspended' | 'unavailable'

type Identified = Result<Principal, Unidentified> | Promise<Result<Principal, Unidentified>>

const MAX_REMEMBERED = 10_000

export class Identity {
  readonly #ports: IdentityPorts
  /** Those of the environment stand for the same caller as long as this isolate lives. */
  readonly #principals = new Map<string, Principal>()
  readonly #proofs = new Map<string, Proof>()

  constructor(ports: IdentityPorts) {
    this.#ports = ports
  }

  /**
   * The principal, anonymous where that is admitted; at once for a credential seen before. `endpoint`: the last part of
   * `/mcp/:service`; absent: everything.
   */
  identify(headers: Headers, background: Background, endpoint?: string): Identified {
    const isAnonymous = this.#ports.auth === 'open' && readCredential(headers).is === 'none'
    return isAnonymous ? ok(ANONYMOUS) : this.authenticate(headers, background, endpoint)
  }

  /** The principal that a credential proves; nobody is anonymous here. */
  authenticate(headers: Headers, background: Background, endpoint?: string): Identified {
    const credential = readCredential(headers)
    if (credential.is === 'malformed') return err('invalid')
    if (credential.is === 'none') return err('missing')
    const { value } = credential
    const principal = this.#principals.get(value)
    if (principal) return ok(principal)
    const proof = this.#proofs.get(value)
    const directory = proof && this.#ports.directory.fresh(background)
    const standing = directory && proof(directory, this.#ports.clock())
    return standing
      ? this.#admit(standing, directory, endpoint, background)
      : this.#verify(value, background, endpoint)
  }

  /** Whether a caller that was admitted would be admitted now; not while that cannot be told. */
  async isStanding(principal: Principal, background: Background): Promise<boolean> {
    if (!principal.grounds) return true
    const directory = await this.#ports.directory.current(background)
    return directory.ok && isStanding(principal, directory.value, this.#ports.clock())
  }

  /** What was proved before is proved anew where it holds no more. */
  async #verify(
    value: string,
    background: Background,
    endpoint: string | undefined,
  ): Promise<Result<Principal, Unidentified>> {
    const secret = await verifySecret(value, this.#ports.secrets)
    if (secret) {
      this.#principals.set(value, secret)
      return ok(secret)
    }
    this.#proofs.delete(value)
    const proof = await this.#prove(value, background)
    if (proof === undefined) return err('invalid')
    const directory = proof === 'unavailable' ? undefined : await this.#ports.directory.current(background)
    if (proof === 'unavailable' || !directory?.ok) return err('unavailable')
    const principal = proof(directory.value, this.#ports.clock())
    if (!principal) return err('invalid')
    const admitted = this.#admit(principal, directory.value, endpoint, background)
    if (admitted.ok) this.#remember(value, proof)
    return admitted
  }

  async #prove(value: string, background: Background): Promise<Proof | 'unavailable' | undefined> {
    for (const verify of this.#ports.verifiers) {
      const proof = await verify(value, background)
      if (proof) return proof
    }
    return undefined
  }

  #admit(
    principal: Principal,
    directory: Directory,
    endpoint: string | undefined,
    background: Background,
  ): Result<Principal, Unidentified> {
    const judged = judge(principal, directory, endpoint)
    const keyId = judged.ok ? principal.grounds?.keyId : undefined
    if (keyId !== undefined) this.#ports.noteUse(keyId, background)
    return judged
  }

  /** Only what counts is remembered, so that guesses take no memory. */
  #remember(value: string, proof: Proof): void {
    if (this.#proofs.size >= MAX_REMEMBERED) this.#proofs.clear()
    this.#proofs.set(value, proof)
  }
}

/** Whether somebody who proved who it is comes in here: a token for one endpoint opens no other (S16). */
function judge(
  principal: Principal,
  directory: Directory,
  endpoint: string | undefined,
): Result<Principal, Unidentified> {
  const { onlyAt, organisationId } = principal
  if (onlyAt && !(endpoint !== undefined && onlyAt.includes(endpoint))) return err('invalid')
  const organisation = directory.organisation(organisationId)
  if (!organisation) return err('invalid')
  return organisation.isSuspended ? err('suspended') : ok(principal)
}
