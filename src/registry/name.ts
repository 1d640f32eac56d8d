/**
 * Public names. Slugs hold no underscore, so the first `__` of `service__tool` always ends the slug: two
 * different tools never share a prefixed name (S38). Names that clients would refuse are shortened with a
 * stable hash; every lookup of a name goes by table, never by splitting. Public URIs are in `uri.ts`.
 */
const FITS = /^[a-zA-Z0-9_-]{1,64}$/
const SLUG = /^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$/
const RESERVED: ReadonlySet<string> = new Set(['health', 'services', 'request', 'sse', 'message'])
const MAX_CHARS = 64

export type SlugFault = 'pattern' | 'reserved'

export function checkSlug(slug: string): SlugFault | undefined {
  if (!SLUG.test(slug)) return 'pattern'
  return RESERVED.has(slug) ? 'reserved' : undefined
}

export const SLUG_PATTERN = SLUG.source

/** Whether callers could name a tool so. */
export const isPublicName = (text: string): boolean => FITS.test(text)

const EVERY_TOOL = '/*'

/** All tools of a service, in rules and toolsets. */
export const everyToolOf = (service: string): string => `${service}${EVERY_TOOL}`

/** Whose tools are all meant; `undefined` for anything but `service/*`. */
export function readEveryToolOf(text: string): string | undefined {
  const service = text.endsWith(EVERY_TOOL) ? text.slice(0, -EVERY_TOOL.length) : ''
  return SLUG.test(service) ? service : undefined
}

export const prefixedName = (service: string, local: string): string => `${service}__${local}`

/**
 * A local name may be given bare unless it looks like somebody's prefixed name: `b__c` offered by service `a`
 * must never answer for tool `c` of service `b`.
 */
export const mayBeBare = (local: string): boolean => !local.includes('__')

/** The name as clients accept it: itself where it fits, else cut, cleaned and told apart by a hash of the whole. */
export function fitName(name: string): string {
  return FITS.test(name) ? name : hashedName(name)
}

export function hashedName(name: string): string {
  const hash = fnv1a(name).toString(36).padStart(11, '0')
  return `${name.replace(/[^a-zA-Z0-9_-]/g, '_').slice(0, MAX_CHARS - hash.length - 1)}_${hash}`
}

/** FNV-1a, 53 bits kept: told apart, not protected. */
function fnv1a(text: string): bigint {
  let hash = 0xcbf29ce484222325n
  for (const byte of new TextEncoder().encode(text)) {
    hash = ((hash ^ BigInt(byte)) * 0x100000001b3n) & 0xffffffffffffffffn
  }
  return hash & 0x1fffffffffffffn
}
