/** What is to be done about the settings of tools. */
import { onlyIf, segment, take } from '../gateway.ts'
import type { ActualTool } from './actual.ts'
import type { WantedTool } from './shape.ts'
import { differencesOf, type Known, type PlanOptions, type Step, surplus } from './step.ts'

/** Of a tool that nobody has said anything of, and of one that is not there yet. */
const UNSET = { settings: {}, etag: undefined } as const

export function planTools(
  wanted: readonly WantedTool[],
  actual: Known<ActualTool>,
  { isPruning }: PlanOptions,
): Step[] {
  const changes = wanted.map(({ service, tool, ...settings }) => {
    const known = actual.get(`${service}/${tool}`)
    return stepOf(service, tool, settings, known ?? UNSET)
  })
  const names = wanted.map(({ service, tool }) => `${service}/${tool}`)
  const cleared = surplus(actual, names, isPruning).map(([, known]) => {
    const nothing = Object.fromEntries(Object.keys(known.settings).map((name) => [name, null]))
    return stepOf(known.service, known.tool, nothing, known)
  })
  return [...changes, ...cleared].flatMap((step) => (step.differences.length === 0 ? [] : [step]))
}

function stepOf(service: string, tool: string, settings: Settings, known: Held): Step {
  const meant = Object.entries(settings).map(([name, value]) => [name, value ?? valueUnset(name)] as const)
  const held = meant.map(([name, value]) => [name, heldValue(name, value, known)] as const)
  const param = { service: segment(service), tool: segment(tool) }
  return {
    action: 'change',
    what: `tool ${service}/${tool}`,
    differences: differencesOf(Object.fromEntries(meant), Object.fromEntries(held)),
    missing: [],
    carryOut: async (api) =>
      take(api.tools[':service'][':tool'].$patch({ param, json: settings }, onlyIf(known.etag))),
  }
}

type Settings = Omit<WantedTool, 'service' | 'tool'>
type Held = Pick<ActualTool, 'settings' | 'description'> & { readonly etag: string | undefined }

/** A description is as it is wanted also where the service itself says the same. */
const heldValue = (name: string, wanted: unknown, { settings, description }: Held): unknown =>
  name === 'description' && wanted !== null ? description : (settings[name] ?? valueUnset(name))

/** Taken away, a setting is what it is by itself. */
const valueUnset = (name: string): true | null => (name === 'isEnabled' ? true : null)
