/** What an operator approves: the SHA-256 of everything that a tool says of itself (S35). */
import { sha256 } from '../platform/hash.ts'
import { canonicalJson } from '../protocol/canonical.ts'
import type { Digests } from './image.ts'
import { type Offer, readOffers } from './offer.ts'

/** Another order of keys, other white space and other escapes are no change; anything else is. */
const digestOf = (text: string): Promise<string> => sha256(canonicalJson(text))

/** The digests of a raw list of tools, by the service's own names. */
export async function digestsOf(tools: string): Promise<Digests> {
  const digest = async ({ localName, text }: Offer) => [localName, await digestOf(text)] as const
  return Object.fromEntries(await Promise.all(readOffers('tool', tools).map(digest)))
}

/** The digest under this name; a name that objects have by nature is none. */
export const digestIn = (digests: Digests, name: string): string | undefined =>
  Object.hasOwn(digests, name) ? digests[name] : undefined
