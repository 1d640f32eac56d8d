/** What one catalogue offers, as places in its raw text. Kept by fingerprint, so an unchanged service is read once. */
import { ok, type Result } from '../platform/result.ts'
import { cut, elementsOf, isObjectAt, membersOf, replace, type Span } from '../protocol/json.ts'
import { type Mirror, readMirrors } from '../protocol/mirror.ts'
import { renameUi } from '../protocol/reference.ts'
import { suspicionOf } from './hidden.ts'
import type { ServiceRecord } from './image.ts'
import { type OfferKind, WORDS } from './kind.ts'

export type Offer = {
  /** The name, URI or template that the service itself uses. */
  readonly localName: string
  /** The offer as the service sent it. */
  readonly text: string
  readonly name: Span
  /** Arguments that a tool wants repeated in headers, or why it cannot be used in the modern era. */
  readonly mirrors: Result<readonly Mirror[], string>
  /** Why the text of a tool is not what it seems (S39). */
  readonly suspicion: string | undefined
}

/** An offer under the name that callers use. */
export type NamedOffer = {
  readonly publicName: string
  readonly service: ServiceRecord
  readonly offer: Offer
}

const NO_OFFERS: readonly Offer[] = []
const NO_MIRRORS: Offer['mirrors'] = ok([])
const URIS: ReadonlySet<OfferKind> = new Set<OfferKind>(['resource', 'template'])

/** Names are kept as text, which holds neither a NUL nor half a character. A URI that is neither is never given bare. */
const isUsable = (kind: OfferKind, name: string): boolean =>
  name !== '' && (URIS.has(kind) || (!name.includes('\0') && name.isWellFormed()))

const KEPT_LISTS = 2_048
const kept = new Map<string, readonly Offer[]>()

/** What the service offers now: its catalogue, or the fallback tools while there is none. */
export function offersOf(kind: OfferKind, service: ServiceRecord): readonly Offer[] {
  if (!service.catalogue)
    return kind === 'tool' ? readOffers(kind, service.config.fallbackTools ?? '[]') : NO_OFFERS
  const key = `${kind} ${service.catalogue.fingerprint}`
  const known = kept.get(key)
  if (known) return known
  const offers = readOffers(kind, service.catalogue[WORDS[kind].list])
  if (kept.size >= KEPT_LISTS) kept.clear()
  kept.set(key, offers)
  return offers
}

export const toolsOf = (service: ServiceRecord): readonly Offer[] => offersOf('tool', service)

/** Reads a raw list. Elements without a usable name are left out; of two with one name the first stays (F34). */
export function readOffers(kind: OfferKind, array: string): readonly Offer[] {
  const offers = new Map<string, Offer>()
  for (const element of elementsOf(array)) {
    if (!isObjectAt(array, element)) continue
    const text = cut(array, element)
    const name = membersOf(text).get(WORDS[kind].naming)
    const localName: unknown = name === undefined ? undefined : JSON.parse(cut(text, name))
    if (name === undefined || typeof localName !== 'string' || !isUsable(kind, localName)) continue
    if (offers.has(localName)) continue
    const isTool = kind === 'tool'
    const mirrors = isTool ? readMirrors(text) : NO_MIRRORS
    offers.set(localName, {
      localName,
      text,
      name,
      mirrors,
      suspicion: isTool ? suspicionOf(text) : undefined,
    })
  }
  return offers.size === 0 ? NO_OFFERS : [...offers.values()]
}

/** The offer under another name, its user interface under another URI; the same bytes where neither changes. */
export function renamed({ offer, publicName }: NamedOffer, renameUri?: (uri: string) => string): string {
  const text =
    publicName === offer.localName
      ? offer.text
      : replace(offer.text, [{ span: offer.name, text: JSON.stringify(publicName) }])
  return renameUri ? renameUi(text, renameUri) : text
}
