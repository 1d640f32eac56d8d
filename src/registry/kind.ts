/** The four kinds of things that a service offers, and what each is called in the words of the protocol. */
import type { Catalogue } from '../protocol/catalogue.ts'

/** `template`: a resource template. */
export type OfferKind = 'tool' | 'prompt' | 'resource' | 'template'

type Words = {
  /** The member by which an offer of this kind is called. */
  readonly naming: 'name' | 'uri' | 'uriTemplate'
  /** The member that holds the list, in a list result and in a catalogue alike. */
  readonly list: keyof Catalogue & ('tools' | 'prompts' | 'resources' | 'resourceTemplates')
}

export const WORDS: Readonly<Record<OfferKind, Words>> = {
  tool: { naming: 'name', list: 'tools' },
  prompt: { naming: 'name', list: 'prompts' },
  resource: { naming: 'uri', list: 'resources' },
  template: { naming: 'uriTemplate', list: 'resourceTemplates' },
}

export const OFFER_KINDS: readonly OfferKind[] = ['tool', 'prompt', 'resource', 'template']

export const isOfferKind = (text: string): text is OfferKind => Object.hasOwn(WORDS, text)
