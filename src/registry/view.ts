/** The views of a registry: one for each agent type that rules name, one for all others, and the whole where no rule concerns a caller. */
import { Fingerprint } from './fingerprint.ts'
import type { PermissionRule } from './image.ts'
import { namesOf, type NamedTarget } from './names.ts'
import { EVERYTHING, Permissions } from './permission.ts'

/** Each holds lists of its own; who asks after the last is let in anew. */
const MAX_VIEWS = 64

/** What callers of one agent type may use: judged once for each tool, then remembered. */
export class Sight {
  /** Tells the cursors of this view from those of others. */
  readonly mark: string
  readonly #permissions: Permissions
  readonly #verdicts = new Map<NamedTarget, boolean>()

  constructor(rules: readonly PermissionRule[], agentType: string) {
    this.mark = String(new Fingerprint().add(agentType))
    this.#permissions = new Permissions(rules, agentType)
  }

  allows(tool: NamedTarget): boolean {
    const known = this.#verdicts.get(tool)
    if (known !== undefined) return known
    const verdict = this.#permissions.allows({ service: tool.service.name, names: namesOf(tool) })
    this.#verdicts.set(tool, verdict)
    return verdict
  }
}

export class Views<View> {
  readonly #rules: readonly PermissionRule[]
  readonly #whole: View
  readonly #open: (sight: Sight) => View
  readonly #named: ReadonlySet<string>
  readonly #views = new Map<string, View>()

  constructor(rules: readonly PermissionRule[], whole: View, open: (sight: Sight) => View) {
    this.#rules = rules
    this.#whole = whole
    this.#open = open
    this.#named = new Set(rules.map(({ agentType }) => agentType))
  }

  of(agentType: string | undefined): View {
    if (this.#named.size === 0) return this.#whole
    const kind = agentType !== undefined && this.#named.has(agentType) ? agentType : EVERYTHING
    if (!this.#named.has(kind)) return this.#whole
    const known = this.#views.get(kind)
    if (known) return known
    if (this.#views.size >= MAX_VIEWS) this.#views.clear()
    const view = this.#open(new Sight(this.#rules, kind))
    this.#views.set(kind, view)
    return view
  }
}
