/** The tools of one catalogue as places in its raw text. Kept by fingerprint, so an unchanged service is read once. */
import type { Result } from '../platform/result.ts'
import { cut, elementsOf, isObjectAt, membersOf, type Span } from '../protocol/json.ts'
import { type Mirror, readMirrors } from '../protocol/mirror.ts'
import type { ServiceRecord } from './image.ts'

export type Offer = {
  /** The name that the service itself uses. */
  readonly localName: string
  /** The tool as the service sent it. */
  readonly text: string
  readonly name: Span
  /** Arguments that it wants repeated in headers, or why modern callers cannot be offered it. */
  readonly mirrors: Result<readonly Mirror[], string>
}

/** An offer under the name that callers use. */
export type NamedOffer = {
  readonly publicName: string
  readonly service: ServiceRecord
  readonly offer: Offer
}

const EMPTY: readonly Offer[] = []
const kept = new Map<string, readonly Offer[]>()
const KEPT_CATALOGUES = 512

/** What the service offers now: its catalogue, or the fallback tools while there is none. */
export function toolsOf(service: ServiceRecord): readonly Offer[] {
  if (!service.catalogue) return readOffers(service.config.fallbackTools ?? '[]')
  const key = service.catalogue.fingerprint
  const known = kept.get(key)
  if (known) return known
  const offers = readOffers(service.catalogue.tools)
  if (kept.size >= KEPT_CATALOGUES) kept.clear()
  kept.set(key, offers)
  return offers
}

/** Reads a raw array of tools. Elements without a usable name are left out; of two with one name the first stays (F34). */
export function readOffers(array: string): readonly Offer[] {
  const offers = new Map<string, Offer>()
  for (const element of elementsOf(array)) {
    if (!isObjectAt(array, element)) continue
    const text = cut(array, element)
    const name = membersOf(text).get('name')
    const localName: unknown = name === undefined ? undefined : JSON.parse(cut(text, name))
    if (name === undefined || typeof localName !== 'string' || localName === '') continue
    if (!offers.has(localName)) offers.set(localName, { localName, text, name, mirrors: readMirrors(text) })
  }
  return offers.size === 0 ? EMPTY : [...offers.values()]
}

/** The tool under another name; the same bytes where the name is the same. */
export function renamed(offer: Offer, name: string): string {
  if (name === offer.localName) return offer.text
  return offer.text.slice(0, offer.name.start) + JSON.stringify(name) + offer.text.slice(offer.name.end)
}
