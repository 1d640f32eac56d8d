/**
 * What tools say of themselves. That they may be called again is believed only where an operator trusts their service
 * (S41); that they change something, always, since it only makes the gateway more careful.
 */
import { rememberFor } from '../platform/remember.ts'
import { readMember } from '../protocol/edit.ts'
import type { ServiceRecord } from './image.ts'
import { toolsOf } from './offer.ts'

type Hint = 'idempotentHint' | 'readOnlyHint' | 'destructiveHint'
type Says = readonly [hint: Hint, value: 'true' | 'false']

/** The local names of the tools that say one of these of themselves; of a service that is not trusted none. */
export const toolsThatSay = (...hints: readonly Hint[]): ((service: ServiceRecord) => ReadonlySet<string>) =>
  rememberFor((service) =>
    service.config.trusted === true
      ? toolsSaying(
          service,
          hints.map((hint) => [hint, 'true']),
        )
      : NONE,
  )

/** The local names of the tools that say that they change something. */
export const changingTools: (service: ServiceRecord) => ReadonlySet<string> = rememberFor((service) =>
  toolsSaying(service, [
    ['destructiveHint', 'true'],
    ['readOnlyHint', 'false'],
  ]),
)

function toolsSaying(service: ServiceRecord, said: readonly Says[]): ReadonlySet<string> {
  const says = (text: string): boolean =>
    said.some(([hint, value]) => readMember(text, ['annotations', hint]) === value)
  const tools = toolsOf(service).filter(({ text }) => says(text))
  return new Set(tools.map(({ localName }) => localName))
}

const NONE: ReadonlySet<string> = new Set()
