/**
 * Writes on who may use which tools, what is said of single tools, and which are offered together. Each is one
 * transaction that also writes the audit row and advances the registry version; a failed one leaves nothing.
 */
import { and, eq, isNull, sql } from 'drizzle-orm'
import type { Result } from '../platform/result.ts'
import type { PermissionRule, Toolset, ToolSetting } from '../registry/image.ts'
import { type Act, RegistryStore } from './commit.ts'
import type { DatabaseFault } from './database.ts'
import { toolPermissions, toolsets, toolSettings } from './schema.ts'

type Stored = Promise<Result<unknown, DatabaseFault>>

/** What is said of a tool from now on: a member of `null` is taken away, one that is absent stays. */
export type SettingChange = {
  readonly [Member in keyof Omit<ToolSetting, 'serviceId' | 'tool'>]?: ToolSetting[Member] | null | undefined
}

export class VisibilityStore extends RegistryStore {
  /** No two for the same agent type and tool. */
  putRules(rules: readonly PermissionRule[], act: Act): Stored {
    const rows = rules.map((rule) => ({ organisationId: this.organisationId, ...rule }))
    const insert = this.database
      .insert(toolPermissions)
      .values(rows)
      .onConflictDoUpdate({
        target: [toolPermissions.organisationId, toolPermissions.agentType, toolPermissions.tool],
        set: { isAllowed: sql`excluded.is_allowed`, updatedAt: sql`now()` },
      })
    return this.commit([insert], act)
  }

  removeRule({ agentType, tool }: Pick<PermissionRule, 'agentType' | 'tool'>, act: Act): Stored {
    const rule = and(
      eq(toolPermissions.organisationId, this.organisationId),
      eq(toolPermissions.agentType, agentType),
      eq(toolPermissions.tool, tool),
    )
    return this.commit([this.database.delete(toolPermissions).where(rule)], act)
  }

  changeSetting(
    { serviceId, tool }: Pick<ToolSetting, 'serviceId' | 'tool'>,
    { isEnabled, ...change }: SettingChange,
    act: Act,
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
    return this.commit([insert], act)
  }

  insertToolset({ slug, tools }: Pick<Toolset, 'slug' | 'tools'>, act: Act): Stored {
    const row = { id: crypto.randomUUID(), organisationId: this.organisationId, slug, tools: [...tools] }
    return this.commit([this.database.insert(toolsets).values(row)], act)
  }

  updateToolset({ id, tools }: Pick<Toolset, 'id' | 'tools'>, act: Act): Stored {
    const row = { tools: [...tools], updatedAt: sql`now()` }
    return this.commit([this.database.update(toolsets).set(row).where(this.#living(id))], act)
  }

  removeToolset(id: string, act: Act): Stored {
    const deleted = { deletedAt: sql`now()` }
    return this.commit([this.database.update(toolsets).set(deleted).where(this.#living(id))], act)
  }

  #living(id: string) {
    return and(
      eq(toolsets.id, id),
      eq(toolsets.organisationId, this.organisationId),
      isNull(toolsets.deletedAt),
    )
  }
}
