/** Services of the environment, as their settings name them, read as a registration is. */
import type { ConfiguredService } from '../platform/configured.ts'
import { err, ok, type Result } from '../platform/result.ts'
import { type Registration, registration } from './api/service.ts'
import { readValue } from './body.ts'

/** As they may be registered, or one sentence for each fault, which names the variable and shows no value. */
export function checkConfigured(
  services: readonly ConfiguredService[],
): Result<readonly Registration[], readonly string[]> {
  const faults: string[] = []
  const checked = services.flatMap(({ registration: given, variableOf }) => {
    const read = readValue(given, registration)
    if (read.ok) return [read.value]
    for (const { field, message } of read.error) {
      const isGiven = valueAt(given, field) !== undefined
      faults.push(`Setting ${variableOf(field)} ${isGiven ? message : 'is needed'}.`)
    }
    return []
  })
  return faults.length === 0 ? ok(checked) : err(faults)
}

const valueAt = (value: unknown, field: string): unknown =>
  field.split('.').reduce<unknown>((inner, key) => new Map(Object.entries(Object(inner))).get(key), value)
