/** What tools say of themselves, believed only where an operator trusts their service (S41). */
import { rememberFor } from '../platform/remember.ts'
import { readMember } from '../protocol/edit.ts'
import type { ServiceRecord } from './image.ts'
import { toolsOf } from './offer.ts'

type Hint = 'idempotentHint' | 'readOnlyHint'

/** The local names of the tools that say one of these of themselves; of a service that is not trusted none. */
export const toolsThatSay = (...hints: readonly Hint[]): ((service: ServiceRecord) => ReadonlySet<string>) =>
  rememberFor((service) => {
    if (service.config.trusted !== true) return NONE
    const says = (text: string): boolean =>
      hints.some((hint) => readMember(text, ['annotations', hint]) === 'true')
    const tools = toolsOf(service).filter(({ text }) => says(text))
    return new Set(tools.map(({ localName }) => localName))
  })

const NONE: ReadonlySet<string> = new Set()
