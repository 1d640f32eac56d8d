/**
 * Tools that a service has and callers do not get: because they are not as an operator approved them (S35), or because
 * their text is not what it seems (S39). What an operator approved as it stands is never withheld.
 */
import { rememberFor } from '../platform/remember.ts'
import { digestIn } from './digest.ts'
import type { ServiceRecord } from './image.ts'
import { type Offer, toolsOf } from './offer.ts'

/** Why each is withheld, by the service's own name for it. Worked out once for each image of a service. */
export const withheldTools: (service: ServiceRecord) => ReadonlyMap<string, string> = rememberFor(
  (service) =>
    new Map(
      toolsOf(service).flatMap((offer) => {
        const reason = reasonOf(service, offer)
        return reason === undefined ? [] : [[offer.localName, reason] as const]
      }),
    ),
)

function reasonOf(service: ServiceRecord, offer: Offer): string | undefined {
  // Fallback tools are an operator's own words.
  if (!service.catalogue || isApproved(service, offer.localName)) return undefined
  const { suspicion } = offer
  if (suspicion !== undefined || !service.config.pinDefinitions) return suspicion
  return digestIn(service.approved, offer.localName) === undefined
    ? 'not approved'
    : 'changed since it was approved'
}

function isApproved({ digests, approved }: ServiceRecord, tool: string): boolean {
  const digest = digestIn(digests, tool)
  return digest !== undefined && digest === digestIn(approved, tool)
}
