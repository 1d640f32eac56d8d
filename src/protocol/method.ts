/** Which method belongs to which era, and what its `Mcp-Name` header mirrors. */
import type { Era } from './version.ts'

type Method = {
  readonly eras: readonly Era[]
  /** The member of `params` that the `Mcp-Name` header must repeat (2026-07-28, "Standard headers"). */
  readonly nameParam?: string
}

const BOTH: readonly Era[] = ['legacy', 'modern']

const METHODS: ReadonlyMap<string, Method> = new Map<string, Method>([
  ['initialize', { eras: ['legacy'] }],
  ['ping', { eras: ['legacy'] }],
  ['server/discover', { eras: ['modern'] }],
  ['tools/list', { eras: BOTH }],
  ['tools/call', { eras: BOTH, nameParam: 'name' }],
])

export const isKnownMethod = (method: string, era: Era): boolean =>
  METHODS.get(method)?.eras.includes(era) ?? false

export const nameParamOf = (method: string): string | undefined => METHODS.get(method)?.nameParam
