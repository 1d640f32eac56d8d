/**
 * Who may use which tool: agent type × tool, `*` on both sides. The most specific rule wins, and specificity is compared
 * on both sides; of rules of which none is more specific than the other, the one that denies wins. What no rule
 * concerns is allowed. Pure.
 */
import type { PermissionRule } from './image.ts'
import { everyToolOf } from './name.ts'

/** Every agent type, or every tool. */
export const EVERYTHING = '*'

/** A tool as rules name it: its service, and every public name that leads to it. */
export type ToolNames = { readonly service: string; readonly names: readonly string[] }

/** How closely a rule names a tool, and what it says. */
type Word = { readonly closeness: 0 | 1 | 2; readonly isAllowed: boolean }

/** What callers of one agent type may use; of none, only the rules for everybody concern them. */
export class Permissions {
  readonly #own: ReadonlyMap<string, boolean>
  readonly #everybody: ReadonlyMap<string, boolean>

  constructor(rules: readonly PermissionRule[], agentType: string | undefined) {
    this.#own = agentType === EVERYTHING ? new Map() : saidFor(agentType, rules)
    this.#everybody = saidFor(EVERYTHING, rules)
  }

  allows(tool: ToolNames): boolean {
    const own = closest(this.#own, tool)
    const everybody = closest(this.#everybody, tool)
    if (!own || !everybody) return (own ?? everybody)?.isAllowed ?? true
    if (own.closeness >= everybody.closeness) return own.isAllowed
    // One names the caller more closely, the other the tool.
    return own.isAllowed && everybody.isAllowed
  }
}

/** Of two rules for the same tool the one that denies stays. */
function saidFor(agentType: string | undefined, rules: readonly PermissionRule[]): Map<string, boolean> {
  const said = new Map<string, boolean>()
  for (const rule of rules) {
    if (rule.agentType === agentType) said.set(rule.tool, rule.isAllowed && said.get(rule.tool) !== false)
  }
  return said
}

function closest(said: ReadonlyMap<string, boolean>, { service, names }: ToolNames): Word | undefined {
  const exact = names.flatMap((name) => said.get(name) ?? [])
  if (exact.length > 0) return { closeness: 2, isAllowed: !exact.includes(false) }
  const ofService = said.get(everyToolOf(service))
  if (ofService !== undefined) return { closeness: 1, isAllowed: ofService }
  const ofAll = said.get(EVERYTHING)
  return ofAll === undefined ? undefined : { closeness: 0, isAllowed: ofAll }
}
