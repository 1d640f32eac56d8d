/** Who may come in: every kind of credential, and whom it stands for. */
import { readAudience } from './identity/audience.ts'
import type { MayCall } from './identity/document.ts'
import { Directory, type DirectoryImage } from './identity/directory.ts'
import { Identity } from './identity/identify.ts'
import { verifyIssued } from './identity/issuer.ts'
import { IssuerKeys } from './identity/jwks.ts'
import { verifyApiKey } from './identity/key.ts'
import { verifyLogin } from './identity/login.ts'
import type { Verifier } from './identity/proof.ts'
import type { Background } from './platform/background.ts'
import { Replica } from './platform/replica.ts'
import { type Clock } from './platform/clock.ts'
import { type Settings } from './platform/settings.ts'
import { type Log } from './telemetry/log.ts'

export type IdentityOptions = {
  readonly directory: Replica<DirectoryImage, Directory>
  /** Whether this may be fetched to decide who comes in. */
  readonly mayFetch: MayCall
  readonly noteUse: (keyId: string, background: Background) => void
  readonly clock: Clock
  readonly log: Log
}

export function openIdentity(
  settings: Settings,
  { directory, mayFetch, noteUse, clock, log }: IdentityOptions,
): Identity {
  const issued = issuerVerifiers(settings, mayFetch, clock, log)
  const verifiers = [verifyApiKey, verifyLogin(settings.jwtSecret, clock), ...issued]
  return new Identity({ secrets: settings, auth: settings.auth, verifiers, directory, noteUse, clock })
}

function issuerVerifiers(
  { oidc, publicUrl }: Settings,
  mayCall: MayCall,
  clock: Clock,
  log: Log,
): Verifier[] {
  if (!oidc) return []
  const { issuer } = oidc
  const keys = new IssuerKeys({
    issuer,
    mayCall,
    onMiss: () => log('warn', 'issuer_away', { issuer }),
    clock,
  })
  return [verifyIssued({ issuer, keys, readAudience: readAudience(oidc, publicUrl?.origin), clock })]
}
