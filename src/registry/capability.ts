/**
 * Capabilities of several services as those of one server. Raw JSON in, raw JSON out: what the gateway does
 * not know passes as the first registered service put it.
 */
import type { Catalogue } from '../protocol/catalogue.ts'
import { cut, membersOf, writeObject } from '../protocol/json.ts'
import type { Era } from '../protocol/version.ts'
import type { ServiceRecord } from './image.ts'

type RawObject = ReadonlyMap<string, string>
type Merge = (known: string | undefined, next: string) => string

const EMPTY = '{}'
/** The registry tells of every change itself, whatever the service can. */
const CHANGING = '{"listChanged":true}'
const CHANGING_AND_SUBSCRIBABLE = '{"subscribe":true,"listChanged":true}'
/** Deeper than any capability; beyond it the first registered wins whole. */
const MAX_DEPTH = 8

const MERGES: ReadonlyMap<string, Merge> = new Map<string, Merge>([
  ['tools', () => CHANGING],
  ['prompts', () => CHANGING],
  ['resources', mergeResources],
  ['completions', () => EMPTY],
  ['logging', () => EMPTY],
  ['tasks', (known, next) => unite(known, next, MAX_DEPTH)],
  ['experimental', (known, next) => unite(known, next, 1)],
  ['extensions', (known, next) => unite(known, next, 1)],
])

/**
 * What these services together can do for a client of this era. A service of the other era counts too, since
 * the gateway translates, but for legacy tasks, which have no modern form. `isKept`: what counts of it.
 */
export function mergeCapabilities(
  services: readonly ServiceRecord[],
  era: Era,
  always: Iterable<readonly [string, string]> = [],
  isKept: (capability: string) => boolean = () => true,
): string {
  const merged = new Map<string, string>(always)
  for (const { catalogue, config } of services) {
    if (!catalogue) {
      if (config.fallbackTools !== undefined) merged.set('tools', CHANGING)
      continue
    }
    for (const [key, next] of readObject(capabilitiesFor(catalogue, era)) ?? []) {
      if (!isKept(key) || (key === 'tasks' && !offersTasks(catalogue, era))) continue
      const merge = MERGES.get(key)
      if (!merge) merged.set(key, merged.get(key) ?? next)
      else if (isObjectText(next)) merged.set(key, merge(merged.get(key), next))
    }
  }
  return writeObject(merged)
}

/** Tools can be registered at any time, so all services together always have them. */
export const ALWAYS_TOOLS: readonly (readonly [string, string])[] = [['tools', CHANGING]]

const OF_OTHERS: ReadonlySet<string> = new Set(['prompts', 'resources', 'completions'])

/** Whether a capability means anything where there are only tools. */
export const isOfTools = (capability: string): boolean => !OF_OTHERS.has(capability)

/** Whether there is anything to read: said in the words of either era, or simply listed. */
export function hasResources({ catalogue }: ServiceRecord): boolean {
  if (!catalogue) return false
  const said = [catalogue.capabilities, catalogue.legacyCapabilities]
  if (said.some((capabilities) => isObjectText(readObject(capabilities)?.get('resources')))) return true
  return [catalogue.resources, catalogue.resourceTemplates].some((list) => list.includes('{'))
}

const capabilitiesFor = (catalogue: Catalogue, era: Era): string =>
  era === 'legacy' && catalogue.legacyVersion !== undefined
    ? catalogue.legacyCapabilities
    : catalogue.capabilities

const offersTasks = (catalogue: Catalogue, era: Era): boolean =>
  era === 'legacy' && catalogue.legacyVersion !== undefined

function mergeResources(known: string | undefined, next: string): string {
  const canSubscribe = known === CHANGING_AND_SUBSCRIBABLE || readObject(next)?.get('subscribe') === 'true'
  return canSubscribe ? CHANGING_AND_SUBSCRIBABLE : CHANGING
}

/** Both objects in one, down to `depth` levels; where they differ in anything but members, the first stays. */
function unite(known: string | undefined, next: string, depth: number): string {
  if (known === undefined) return next
  const [members, others] = depth === 0 ? [] : [readObject(known), readObject(next)]
  if (!members || !others) return known
  const united = new Map(members)
  for (const [key, value] of others) united.set(key, unite(members.get(key), value, depth - 1))
  return writeObject(united)
}

const isObjectText = (text: string | undefined): boolean => text?.trimStart().startsWith('{') ?? false

/** The raw members of a raw object; `undefined` for any other value. */
const readObject = (text: string): RawObject | undefined =>
  isObjectText(text)
    ? new Map([...membersOf(text)].map(([key, span]) => [key, cut(text, span)] as const))
    : undefined
