/** Rules of who may use which tools: read, set, taken away. */
import { type Context, Hono } from 'hono'
import { err, ok } from '../platform/result.ts'
import type { PermissionRule } from '../registry/image.ts'
import { EVERYTHING } from '../registry/permission.ts'
import type { Snapshot } from '../registry/snapshot.ts'
import { actorOf } from './actor.ts'
import { answering, json } from './answer.ts'
import * as api from './api/permissions.ts'
import { readBody, readQuery, readWrite } from './body.ts'
import { decide } from './decision.ts'
import type { AdminEnv } from './env.ts'
import { etagOf, isExpected, readExpected } from './etag.ts'
import { mount } from './operation.ts'
import { pageOf } from './page.ts'
import { changedMeanwhile, unknownRule } from './problem.ts'
import type { Visibility } from './visibility.ts'

export type PermissionPorts = { readonly visibilityOf: (organisationId: string) => Visibility }

export function permissionRoutes({ visibilityOf }: PermissionPorts): Hono<AdminEnv> {
  const visibility = (c: Context<AdminEnv>): Visibility => visibilityOf(c.get('principal').organisationId)

  const list = answering(async (c) => {
    const asked = readQuery(c.req.query(), api.listPermissions.query)
    if (!asked.ok) return asked
    const snapshot = await visibility(c).ledger.read(c.get('background'))
    if (!snapshot.ok) return snapshot
    const agentType = c.req.param('agentType')
    const rules = rulesIn(snapshot.value)
    const concerning = rules.filter(
      (rule) => agentType === undefined || [agentType, EVERYTHING].includes(rule.agentType),
    )
    return ok(json(pageOf(concerning.map(viewRule), asked.value), 200, { etag: tagOf(rules) }))
  })
  const put = answering(async (c) => {
    const asked = await readWrite(c.req.raw, api.putPermissions.body)
    if (!asked.ok) return asked
    const { body, expected } = asked.value
    const given = Array.isArray(body) ? body : [body]
    const written = withoutRepeats(given.map(({ allowed, ...rule }) => ({ ...rule, isAllowed: allowed })))
    const act = {
      actor: actorOf(c),
      action: 'permission.set',
      target: written
        .map(({ agentType, tool }) => `${agentType} ${tool}`)
        .join(', ')
        .slice(0, 200),
      detail: { rules: given },
    }
    const { ledger, store } = visibility(c)
    const after = await decide(async () => {
      const before = await ledger.committed(c.get('background'))
      if (!before.ok) return before
      const rules = rulesIn(before.value)
      if (!isExpected(expected, tagOf(rules))) return err(changedMeanwhile)
      return await ledger.commit(store.putRules(written, act, expected && rules), c.get('background'))
    })
    if (!after.ok) return after
    const texts = written.map(viewRule)
    const text = Array.isArray(body) ? `{"items":[${texts.join(',')}]}` : (texts[0] ?? '{}')
    return ok(json(text, 200, { etag: tagOf(rulesIn(after.value)) }))
  })
  const remove = answering(async (c) => {
    const expected = readExpected(c.req.raw.headers)
    if (!expected.ok) return expected
    const { query: key } = api.removePermission
    const query = c.req.query()
    const isInQuery = Object.keys(query).length > 0
    const asked = isInQuery ? readQuery(query, key) : await readBody(c.req.raw, key)
    if (!asked.ok) return asked
    const { agentType, tool } = asked.value
    const act = {
      actor: actorOf(c),
      action: 'permission.delete',
      target: `${agentType} ${tool}`,
    }
    const { ledger, store } = visibility(c)
    const after = await decide(async () => {
      const before = await ledger.committed(c.get('background'))
      if (!before.ok) return before
      const rules = rulesIn(before.value)
      const rule = rules.find((each) => each.agentType === agentType && each.tool === tool)
      if (!rule) return err(unknownRule(agentType, tool))
      if (!isExpected(expected.value, tagOf(rules))) return err(changedMeanwhile)
      const stored = store.removeRule(rule, act, expected.value && rules)
      return await ledger.commit(stored, c.get('background'))
    })
    return after.ok ? ok(json(JSON.stringify({ agentType, tool, deleted: true }))) : after
  })

  const routes = new Hono<AdminEnv>()
  mount(routes, api.listPermissions, list)
  mount(routes, api.listPermissionsOf, list)
  mount(routes, api.putPermissions, put)
  mount(routes, api.removePermission, remove)
  return routes
}

const rulesIn = ({ image }: Snapshot): readonly PermissionRule[] => image.permissions.toSorted(inOrder)

/** Of all rules together, whichever are shown. */
const tagOf = (rules: readonly PermissionRule[]): string => etagOf(rules.map(viewRule))

const viewRule = ({ agentType, tool, isAllowed }: PermissionRule): string =>
  JSON.stringify({ agentType, tool, allowed: isAllowed })

/** Two rules that agree in both are one. */
type RuleKey = Pick<PermissionRule, 'agentType' | 'tool'>

/** Of two for the same agent type and tool the later one counts. */
const withoutRepeats = (given: readonly PermissionRule[]): readonly PermissionRule[] => [
  ...new Map(given.map((rule) => [`${rule.agentType} ${rule.tool}`, rule])).values(),
]

const inOrder = (a: RuleKey, b: RuleKey): number =>
  compare(a.agentType, b.agentType) || compare(a.tool, b.tool)

const compare = (a: string, b: string): number => (a === b ? 0 : a < b ? -1 : 1)
