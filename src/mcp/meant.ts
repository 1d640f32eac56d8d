/**
 * Which tool a call was about that was refused, for whoever counts refusals: also one that its caller may not use, or
 * that an operator switched off, which is no tool to its caller (B96).
 */
import { rememberFor } from '../platform/remember.ts'
import type { Message } from '../protocol/message.ts'
import { prefixedName } from '../registry/name.ts'
import { namesOf } from '../registry/names.ts'
import type { Endpoint, Snapshot, Target } from '../registry/snapshot.ts'

export type MeantTool = { readonly serviceId: string; readonly tool: string }

/** `whole`: the registry as nobody in particular sees it. */
export function toolMeant(
  message: Message | undefined,
  endpoint: Endpoint,
  whole: Snapshot,
): MeantTool | undefined {
  const name = message?.method === 'tools/call' ? message.params?.['name'] : undefined
  // What was refused may be anything, also what cannot become a text.
  if (typeof name !== 'string') return undefined
  const target = whole.resolve('tool', name, endpoint) ?? switchedOffAt(endpoint, name, whole)
  return target && { serviceId: target.service.id, tool: target.localName }
}

const switchedOffAt = (endpoint: Endpoint, name: string, whole: Snapshot): Target | undefined =>
  switchedOff(whole).get(endpoint.is === 'service' ? prefixedName(endpoint.name, name) : name)

const switchedOff = rememberFor((whole: Snapshot): ReadonlyMap<string, Target> => {
  const tools = whole.everyTool.filter(({ setting }) => setting?.isEnabled === false)
  return new Map(tools.flatMap((tool) => namesOf(tool).map((name) => [name, tool] as const)))
})
