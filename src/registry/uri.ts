/**
 * Public URIs of resources and templates: the service's own, or `switchyard:<slug>:<its own>`. Slugs hold no
 * colon, so the prefixed form is read one way only and gives the original back, whatever that holds. The
 * prefix is plain text in a URI template too: a client that expands it expands the original behind it.
 */
const SCHEME = 'switchyard:'
const CLAIMS_SCHEME = /^switchyard:/i
const NAMED_SCHEME = /^[a-z][a-z0-9+.-]*:/i
const CONTROL = /[\u0000-\u001f\u007f]/

/** Longer ones would not fit the index of `public_names` (Postgres: a third of a page). */
const MAX_BARE_BYTES = 1_024

const encoder = new TextEncoder()

export const prefixedUri = (service: string, local: string): string => `${SCHEME}${service}:${local}`

/** Whose URI this is by its prefix, and the original; `undefined` for one without our prefix. */
export function readPrefixedUri(uri: string): { service: string; local: string } | undefined {
  if (!uri.startsWith(SCHEME)) return undefined
  const colon = uri.indexOf(':', SCHEME.length)
  if (colon === -1 || colon === uri.length - 1) return undefined
  return { service: uri.slice(SCHEME.length, colon), local: uri.slice(colon + 1) }
}

/**
 * Whether a URI may be given bare: not when it looks like a prefixed one (S37), nor when the database could
 * not hold it as it is.
 */
export const mayBeBareUri = (local: string): boolean =>
  local.length <= MAX_BARE_BYTES &&
  !CLAIMS_SCHEME.test(local) &&
  !CONTROL.test(local) &&
  local.isWellFormed() &&
  encoder.encode(local).length <= MAX_BARE_BYTES

/** A template that leaves the scheme open would answer for the URIs of everybody (S37). */
export const mayBeBareTemplate = (local: string): boolean => NAMED_SCHEME.test(local) && mayBeBareUri(local)
