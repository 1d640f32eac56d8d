/** Which method belongs to which era, and what its parameters must name. */
import type { Era } from './version.ts'

type Method = {
  readonly eras: readonly Era[]
  /** The member of `params` that must be there, a string. */
  readonly names?: string
  /** Whether the `Mcp-Name` header must repeat it (2026-07-28, "Standard headers"; tasks extension). */
  readonly isMirrored?: boolean
  /** Whether `params.arguments` must be an object where it is given. */
  readonly hasArguments?: boolean
}

const LEGACY: readonly Era[] = ['legacy']
const MODERN: readonly Era[] = ['modern']
const BOTH: readonly Era[] = ['legacy', 'modern']

const METHODS: ReadonlyMap<string, Method> = new Map<string, Method>([
  ['initialize', { eras: LEGACY }],
  ['ping', { eras: LEGACY }],
  ['logging/setLevel', { eras: LEGACY, names: 'level' }],
  ['server/discover', { eras: MODERN }],
  ['subscriptions/listen', { eras: MODERN }],
  ['tools/list', { eras: BOTH }],
  ['tools/call', { eras: BOTH, names: 'name', isMirrored: true, hasArguments: true }],
  ['prompts/list', { eras: BOTH }],
  ['prompts/get', { eras: BOTH, names: 'name', isMirrored: true, hasArguments: true }],
  ['resources/list', { eras: BOTH }],
  ['resources/templates/list', { eras: BOTH }],
  ['resources/read', { eras: BOTH, names: 'uri', isMirrored: true }],
  ['resources/subscribe', { eras: LEGACY, names: 'uri' }],
  ['resources/unsubscribe', { eras: LEGACY, names: 'uri' }],
  ['completion/complete', { eras: BOTH }],
  ['tasks/get', { eras: BOTH, names: 'taskId', isMirrored: true }],
  ['tasks/cancel', { eras: BOTH, names: 'taskId', isMirrored: true }],
  ['tasks/update', { eras: MODERN, names: 'taskId', isMirrored: true }],
  ['tasks/result', { eras: LEGACY, names: 'taskId' }],
  ['tasks/list', { eras: LEGACY }],
])

export const isKnownMethod = (method: string, era: Era): boolean =>
  METHODS.get(method)?.eras.includes(era) ?? false

/** The member of `params` that names what the method is about. */
export const nameParamOf = (method: string): string | undefined => METHODS.get(method)?.names

/** The same, where the `Mcp-Name` header must repeat it. */
export function mirroredParamOf(method: string): string | undefined {
  const known = METHODS.get(method)
  return known?.isMirrored ? known.names : undefined
}

export const hasArguments = (method: string): boolean => METHODS.get(method)?.hasArguments ?? false

/** Levels of log messages, from the least severe up (RFC 5424). */
const LOG_LEVELS: readonly string[] = [
  'debug',
  'info',
  'notice',
  'warning',
  'error',
  'critical',
  'alert',
  'emergency',
]

/** How severe a level is; `-1`: not a level. */
export const severityOf = (level: unknown): number =>
  typeof level === 'string' ? LOG_LEVELS.indexOf(level) : -1
