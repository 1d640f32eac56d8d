/**
 * Writes on who may use which tools, what is said of single tools, and which are offered together. Each is one
 * transaction that also writes the audit row and advances the registry version; a failed one leaves nothing.
 */
import { and, eq, isNull, SQL, sql } from 'drizzle-orm'
import type { Result } from '../platform/result.ts'
import type { PermissionRule, Toolset, ToolSetting } from '../registry/image.ts'
import { type Act, isAsOf, later, RegistryStore } from './commit.ts'
import type { DatabaseFault } from './database.ts'
import { services, toolPermissions, toolsets, toolSettings } from './schema.ts'

type Stored = Promise<Result<unknown, DatabaseFault>>

/** What is said of a tool from now on: a member of `null` is taken away, one that is absent stays. */
export type SettingChange = {
  readonly [Member in keyof Omit<ToolSetting, 'serviceId' | 'tool' | 'cacheEpoch'>]?:
    | ToolSetting[Member]
    | null
    | undefined
}

export class VisibilityStore extends RegistryStore {
  /** No two for the same agent type and tool. */
  putRules(rules: readonly PermissionRule[], act: Act, basis?: readonly PermissionRule[]): Stored {
    const rows = rules.map((rule) => ({ organisationId: this.organisationId, ...rule }))
    const insert = this.database
      .insert(toolPermissions)
      .values(rows)
      .onConflictDoUpdate({
        target: [toolPermissions.organisationId, toolPermissions.agentType, toolPermissions.tool],
        set: { isAllowed: sql`excluded.is_allowed`, updatedAt: sql`now()` },
      })
    return this.commit([insert], act, basis && this.#areRules(basis))
  }

  removeRule({ agentType, tool }: PermissionRule, act: Act, basis?: readonly PermissionRule[]): Stored {
    const rule = and(
      eq(toolPermissions.organisationId, this.organisationId),
      eq(toolPermissions.agentType, agentType),
      eq(toolPermissions.tool, tool),
    )
    const isThere = sql`exists (select 1 from ${toolPermissions} where ${rule})`
    const remove = this.database.delete(toolPermissions).where(rule)
    return this.commit([remove], act, basis ? this.#areRules(basis) : isThere)
  }

  changeSetting(
    { serviceId, tool }: Pick<ToolSetting, 'serviceId' | 'tool'>,
    { isEnabled, ...change }: SettingChange,
    act: Act,
    basis?: ToolSetting,
  ): Stored {
    // A tool is on unless it is switched off.
    const row = { ...change, ...(isEnabled !== undefined && { isEnabled: isEnabled ?? true }) }
    const insert = this.database
      .insert(toolSettings)
      .values({ organisationId: this.organisationId, serviceId, tool, ...row })
      .onConflictDoUpdate({
        target: [toolSettings.serviceId, toolSettings.tool],
        set: { ...row, updatedAt: sql`now()` },
      })
    const demands = [basis && isSetting(basis), change.alias && this.#isFree(change.alias, serviceId, tool)]
    const [first, ...rest] = demands.filter((each) => each instanceof SQL)
    return this.commit([insert], act, first && and(first, ...rest))
  }

  /** What the tools of this service answered so far, or this one, is not given again. */
  discardResults(
    { serviceId, tool }: { readonly serviceId: string; readonly tool?: string | undefined },
    act: Act,
  ): Stored {
    if (tool === undefined) {
      const { cacheEpoch } = services
      const own = and(eq(services.id, serviceId), eq(services.organisationId, this.organisationId))
      const advance = this.database.update(services).set({ cacheEpoch: sql`${cacheEpoch} + 1` })
      return this.commit([advance.where(own)], act)
    }
    const { cacheEpoch } = toolSettings
    const insert = this.database
      .insert(toolSettings)
      .values({ organisationId: this.organisationId, serviceId, tool, cacheEpoch: 1 })
      .onConflictDoUpdate({
        target: [toolSettings.serviceId, toolSettings.tool],
        set: { cacheEpoch: sql`${cacheEpoch} + 1`, updatedAt: sql`now()` },
      })
    return this.commit([insert], act)
  }

  /** `moved`: a service has this name. */
  insertToolset({ slug, tools }: Pick<Toolset, 'slug' | 'tools'>, act: Act): Stored {
    const row = { id: crypto.randomUUID(), organisationId: this.organisationId, slug, tools: [...tools] }
    const service = and(
      eq(services.organisationId, this.organisationId),
      eq(services.name, slug),
      isNull(services.deletedAt),
    )
    const isNoService = sql`not exists (select 1 from ${services} where ${service})`
    return this.commit([this.database.insert(toolsets).values(row)], act, isNoService)
  }

  updateToolset(before: Toolset, tools: readonly string[], act: Act): Stored {
    const row = { tools: [...tools], updatedAt: later(toolsets.updatedAt) }
    const update = this.database.update(toolsets).set(row).where(this.#living(before.id))
    return this.commit([update], act, this.#isAsRead(before))
  }

  removeToolset(before: Toolset, act: Act): Stored {
    const deleted = { deletedAt: sql`now()` }
    const remove = this.database.update(toolsets).set(deleted).where(this.#living(before.id))
    return this.commit([remove], act, this.#isAsRead(before))
  }

  /** No other tool of a service that there is has this alias. */
  #isFree(alias: string, serviceId: string, tool: string): SQL {
    const setting = and(eq(toolSettings.organisationId, this.organisationId), eq(toolSettings.alias, alias))
    const isOther = sql`(${toolSettings.serviceId}, ${toolSettings.tool}) <> (${serviceId}::uuid, ${tool})`
    const isThere = sql`${toolSettings.serviceId} in (select ${services.id} from ${services} where ${services.deletedAt} is null)`
    const other = and(setting, isOther, isThere)
    return sql`not exists (select 1 from ${toolSettings} where ${other})`
  }

  #isAsRead({ id, updatedAt }: Toolset): SQL {
    const row = and(this.#living(id), isAsOf(toolsets.updatedAt, updatedAt))
    return sql`exists (select 1 from ${toolsets} where ${row})`
  }

  /** Those of the organisation are these, and no others. */
  #areRules(rules: readonly PermissionRule[]): SQL {
    const { organisationId, agentType, tool, isAllowed } = toolPermissions
    const read = rules.map((rule) => `${rule.agentType} ${rule.tool} ${rule.isAllowed}`)
    const stored = sql`array(select ${agentType} || ' ' || ${tool} || ' ' || ${isAllowed} from ${toolPermissions} where ${organisationId} = ${this.organisationId})`
    const given = sql`array(select jsonb_array_elements_text(${JSON.stringify(read)}::jsonb))`
    return sql`${stored} @> ${given} and ${stored} <@ ${given}`
  }

  #living(id: string) {
    return and(
      eq(toolsets.id, id),
      eq(toolsets.organisationId, this.organisationId),
      isNull(toolsets.deletedAt),
    )
  }
}

/** What is said of a tool is this; where nothing is said, it is on. */
function isSetting({ serviceId, tool, ...setting }: ToolSetting): SQL {
  const { isEnabled, cacheTtlSeconds = null, cacheScope = null } = setting
  const { timeoutMs = null, alias = null, description = null } = setting
  const row = and(eq(toolSettings.serviceId, serviceId), eq(toolSettings.tool, tool))
  const {
    isEnabled: on,
    cacheTtlSeconds: ttl,
    cacheScope: scope,
    timeoutMs: timeout,
    alias: named,
    description: told,
  } = toolSettings
  const stored = sql`(${on}, ${ttl}, ${scope}, ${timeout}, ${named}, ${told})`
  const read = sql`(${isEnabled}::boolean, ${cacheTtlSeconds}::int, ${cacheScope}::text, ${timeoutMs}::int, ${alias}::text, ${description}::text)`
  return sql`not exists (select 1 from ${toolSettings} where ${row} and ${stored} is distinct from ${read})`
}
