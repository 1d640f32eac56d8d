/** What is to be done about the rules of who may use which tools. */
import { onlyIf, take } from '../gateway.ts'
import type { ActualRules } from './actual.ts'
import type { WantedPermission } from './shape.ts'
import { differencesOf, type PlanOptions, type Step, surplus } from './step.ts'

export const ruleName = ({ agentType, tool }: Pick<WantedPermission, 'agentType' | 'tool'>): string =>
  `${agentType} ${tool}`

/** All rules that are set are set at once: between two of them there might be one that allows too much. */
export function planPermissions(
  wanted: readonly WantedPermission[],
  { rules, etag }: ActualRules,
  { isPruning }: PlanOptions,
): { readonly changes: Step[]; readonly removals: Step[] } {
  const json = wanted.filter((rule) => rules.get(ruleName(rule))?.allowed !== rule.allowed)
  const named = Object.fromEntries(json.map((rule) => [ruleName(rule), verdict(rule)]))
  const known = Object.fromEntries([...rules].map(([name, rule]) => [name, verdict(rule)]))
  const change: Step = {
    action: 'change',
    what: 'permissions',
    differences: differencesOf(named, known),
    missing: [],
    carryOut: async (api) => take(api.permissions.$put({ json }, onlyIf(etag))),
  }
  const removals = surplus(rules, wanted.map(ruleName), isPruning).map(
    ([name, { agentType, tool }]): Step => ({
      action: 'remove',
      what: `permission ${name}`,
      differences: [],
      missing: [],
      carryOut: async (api) => take(api.permissions.$delete({ query: { agentType, tool } })),
    }),
  )
  return { changes: json.length === 0 ? [] : [change], removals }
}

const verdict = ({ allowed }: WantedPermission): string => (allowed ? 'allow' : 'deny')
