/** All steps from what a gateway is to what its file says, in an order that opens nothing by mistake. Pure. */
import { misuse } from '../failure.ts'
import type { Actual, Scope, Section } from './actual.ts'
import { planPermissions } from './permissions.ts'
import { describeMissing } from './read.ts'
import { planServices } from './services.ts'
import type { GatewayFile } from './shape.ts'
import type { PlanOptions, Step } from './step.ts'
import { planTools } from './tools.ts'
import { planToolsets } from './toolsets.ts'
import { planUsers } from './users.ts'

const NOTHING = { changes: [], removals: [] } as const
const SECTIONS: readonly Section[] = ['services', 'tools', 'toolsets', 'permissions', 'users']

export const sectionsOf = (file: GatewayFile): readonly Section[] =>
  SECTIONS.filter((section) => file[section] !== undefined)

/** What must be known of the gateway for this file. */
export function scopeOf(file: GatewayFile): Scope {
  const tools = file.tools?.map(({ service, tool }) => `tools ${service}/${tool}`) ?? []
  const users = file.users?.map(({ username }) => `users ${username}`) ?? []
  return { sections: new Set(sectionsOf(file)), named: new Set([...tools, ...users]) }
}

/** All that a file can say. */
export const EVERYTHING: Scope = { sections: new Set(SECTIONS), named: new Set() }

/** Rules come before what they are about, and go after it: what is denied is at no moment open. */
export function planOf(file: GatewayFile, actual: Actual, options: PlanOptions): readonly Step[] {
  const permissions = file.permissions
    ? planPermissions(file.permissions, actual.permissions, options)
    : NOTHING
  const services = file.services ? planServices(file.services, actual.services, options) : NOTHING
  const toolsets = file.toolsets ? planToolsets(file.toolsets, actual.toolsets, options) : NOTHING
  const users = file.users ? planUsers(file.users, actual.users, options) : NOTHING
  const removed = new Set(services.removals.map(({ what }) => what))
  const tools = file.tools ? planTools(file.tools, withoutRemoved(actual, removed).tools, options) : []
  return [
    ...permissions.changes,
    ...services.changes,
    ...tools,
    ...toolsets.changes,
    ...users.changes,
    ...toolsets.removals,
    ...services.removals,
    ...users.removals,
    ...permissions.removals,
  ]
}

/** Throws where a secret is needed that is not set: before anything is done. */
export function requireSecrets(steps: readonly Step[]): void {
  const missing = steps.flatMap((step) => step.missing)
  if (missing.length > 0) throw misuse(missing.map(describeMissing).join('\n'))
}

/** Settings of a tool go with its service. */
const withoutRemoved = (actual: Actual, removed: ReadonlySet<string>): Pick<Actual, 'tools'> => ({
  tools: new Map([...actual.tools].filter(([, { service }]) => !removed.has(`service ${service}`))),
})
