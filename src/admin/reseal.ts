/** Credentials that only an earlier encryption key opens, sealed anew, so that this key can be given up. */
import type { Background } from '../platform/background.ts'
import type { Registry } from '../registry/registry.ts'
import type { CredentialStore } from '../storage/credential.ts'
import type { ServiceStore } from '../storage/services.ts'

export type ResealPorts = {
  readonly registry: Pick<Registry, 'held' | 'reload'>
  readonly store: Pick<ServiceStore, 'replaceAuth'>
  readonly credentials: Pick<CredentialStore, 'resealed'>
}

/** Each is a request to the database (F68). */
const PER_RUN = 3

/** A few of them. One that was changed meanwhile is sealed with the present key already. */
export async function resealCredentials(
  { registry, store, credentials }: ResealPorts,
  background: Background,
): Promise<void> {
  let resealed = 0
  for (const service of registry.held.snapshot?.image.services ?? []) {
    const to = await credentials.resealed(service)
    if (to === undefined || service.sealedAuth === undefined) continue
    const act = { actor: 'gateway', action: 'credential.reseal', target: service.name }
    const replaced = await store.replaceAuth(service.id, { from: service.sealedAuth, to }, act)
    if (!replaced.ok) break
    resealed++
    if (resealed === PER_RUN) break
  }
  if (resealed > 0) await registry.reload(background)
}
