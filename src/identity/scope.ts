/** What a credential may be limited to (RFC 6749, section 3.3). The wider scope holds the narrower (S25). */
export type Scope = 'mcp:read' | 'mcp:write' | 'mcp:admin'

/** From narrow to wide: look and read, call tools, manage. */
export const SCOPES: readonly Scope[] = ['mcp:read', 'mcp:write', 'mcp:admin']

/** `undefined`: not a scope of this gateway. The prefix may be left out. */
export const readScope = (text: string): Scope | undefined =>
  SCOPES.find((scope) => scope === text || scope === `mcp:${text}`)

/** Whether a credential with these scopes has this one; without any it is not limited. */
export const hasScope = (given: readonly Scope[] | undefined, needed: Scope): boolean =>
  given === undefined || given.some((scope) => SCOPES.indexOf(scope) >= SCOPES.indexOf(needed))

/**
 * What a client should ask for to get this scope: the narrower ones with it, so that a client which forgets what it had
 * loses nothing, and an issuer that knows of no hierarchy grants them too (S24).
 */
export const scopesUpTo = (needed: Scope): string => SCOPES.slice(0, SCOPES.indexOf(needed) + 1).join(' ')
