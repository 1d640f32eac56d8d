/**
 * Whether a call that failed may be sent again, and after which pause: only where a repeat cannot do twice what was to
 * be done once. Pure but for chance.
 */
import { backoffMs } from '../guard/retry.ts'
import { toolsThatSay } from '../registry/hint.ts'
import type { ServiceRecord } from '../registry/image.ts'
import type { Fault } from '../upstream/fault.ts'
import type { Forward } from './forward.ts'
import type { Guarded } from './permit.ts'

const SLACK_MS = 100

export type Failure = {
  /** From 1. */
  readonly attempt: number
  readonly fault: Fault
  readonly forward: Pick<Forward, 'method' | 'localName'>
  readonly service: ServiceRecord
  readonly guarded: Pick<Guarded, 'instances' | 'retry'>
}

/** The pause in ms; `undefined`: it must not be sent again. */
export function pauseBefore(failure: Failure, random: () => number = Math.random): number | undefined {
  const { attempt, fault, guarded } = failure
  // The credential is renewed for another try (F10); one that is refused twice stays refused (F11).
  if (fault.is === 'auth') return fault.isUnknown && attempt === 1 ? 0 : undefined
  if (!isSafe(failure)) return undefined
  const { retry, instances } = guarded
  const hasAnother = attempt < instances.length
  if (attempt >= (retry?.maxAttempts ?? 1)) return hasAnother && fault.is !== 'throttled' ? 0 : undefined
  const backoff = hasAnother || !retry ? 0 : backoffMs(retry, attempt, random())
  const asked = 'retryAfterMs' in fault ? (fault.retryAfterMs ?? 0) : 0
  // The guard leaves the service alone for as long, from a little later on.
  return asked > 0 ? Math.max(backoff, asked + SLACK_MS) : backoff
}

function isSafe({ fault, forward, service }: Failure): boolean {
  switch (fault.is) {
    case 'connection':
    case 'tls':
      return fault.isUnsent === true || isRepeatable(forward, service)
    case 'throttled':
      // Turned away at the door.
      return true
    case 'status':
      return fault.isTemporary === true && isRepeatable(forward, service)
    case 'not_mcp':
      return isRepeatable(forward, service)
    default:
      return false
  }
}

const READS: ReadonlySet<string> = new Set([
  'resources/read',
  'prompts/get',
  'completion/complete',
  'tasks/get',
  'tasks/list',
])

/** A tool's own word that a repeat does no harm counts only where an operator trusts the service (S41). */
function isRepeatable({ method, localName }: Failure['forward'], service: ServiceRecord): boolean {
  if (method !== 'tools/call') return READS.has(method)
  return localName !== undefined && repeatableTools(service).has(localName)
}

const repeatableTools = toolsThatSay('idempotentHint', 'readOnlyHint')
