/**
 * Which scope a message needs (S24, S25). At the MCP door everything needs `mcp:read`, which flow.ts asks for; what
 * makes an upstream do something needs `mcp:write`, which is asked for once its target is known.
 */
import type { Principal } from '../identity/principal.ts'
import { hasScope, type Scope, scopesUpTo } from '../identity/scope.ts'
import type { Refusal } from '../protocol/refusal.ts'
import { toolsThatSay } from '../registry/hint.ts'
import type { Target } from '../registry/target.ts'

const WRITES: ReadonlySet<string> = new Set(['tools/call', 'tasks/cancel', 'tasks/update'])

/** `undefined`: the caller has this scope, or a credential without limits. */
export const requireScope = ({ scopes }: Principal, needed: Scope): Refusal | undefined =>
  hasScope(scopes, needed) ? undefined : { why: 'insufficient_scope', scopes: scopesUpTo(needed) }

/** The same for a method and what it is about. */
export function requireScopeFor(principal: Principal, method: string, target: Target): Refusal | undefined {
  const lacking = requireScope(principal, 'mcp:write')
  return lacking && WRITES.has(method) && !onlyReads(method, target) ? lacking : undefined
}

const readingTools = toolsThatSay('readOnlyHint')

const onlyReads = (method: string, { service, localName }: Target): boolean =>
  method === 'tools/call' && readingTools(service).has(localName)
