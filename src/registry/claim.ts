/** The bare names and URIs that a service asks for: one row of `public_names` each, first come, first served. */
import type { Catalogue } from '../protocol/catalogue.ts'
import type { NameGrant } from './image.ts'
import { OFFER_KINDS, type OfferKind, WORDS } from './kind.ts'
import { fitName, mayBeBare } from './name.ts'
import { readOffers } from './offer.ts'
import { mayBeBareTemplate, mayBeBareUri } from './uri.ts'

export type NameClaim = Pick<NameGrant, 'kind' | 'name'>

/** What something of this kind is called bare; `undefined`: it is always prefixed. */
export function bareName(kind: OfferKind, local: string): string | undefined {
  switch (kind) {
    case 'tool':
    case 'prompt':
      return mayBeBare(local) ? fitName(local) : undefined
    case 'resource':
      return mayBeBareUri(local) ? local : undefined
    case 'template':
      return mayBeBareTemplate(local) ? local : undefined
  }
}

/** All that a service may be called by without its prefix, from raw lists. */
export const claimsOf = (
  lists: Partial<Pick<Catalogue, (typeof WORDS)[OfferKind]['list']>>,
): readonly NameClaim[] =>
  OFFER_KINDS.flatMap((kind) =>
    readOffers(kind, lists[WORDS[kind].list] ?? '[]').flatMap(({ localName }) => {
      const name = bareName(kind, localName)
      return name === undefined ? [] : [{ kind, name }]
    }),
  )
