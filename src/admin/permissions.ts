/** Rules of who may use which tools: read, set, taken away. */
import { type Context, Hono } from 'hono'
import * as z from 'zod'
import type { PermissionRule } from '../registry/image.ts'
import { EVERYTHING } from '../registry/permission.ts'
import { isPublicName, readEveryToolOf } from '../registry/name.ts'
import { oneOrMore, readBody } from './body.ts'
import type { AdminEnv, Handler } from './env.ts'
import { pageOf } from './page.ts'
import { respondWithProblem, unknownRule } from './problem.ts'
import { json } from './services.ts'
import type { Visibility } from './visibility.ts'

const MAX_RULES = 1_000
const AGENT_TYPE = /^([A-Za-z0-9._:@/-]{1,64}|\*)$/

const isChoice = (text: string): boolean =>
  text === EVERYTHING || isPublicName(text) || readEveryToolOf(text) !== undefined

const named = {
  agentType: z.string().regex(AGENT_TYPE, `must match ${AGENT_TYPE.source}`),
  tool: z.string().refine(isChoice, 'must be a public name, <service>/* or *'),
}
const rules = oneOrMore(z.strictObject({ ...named, allowed: z.boolean() }), MAX_RULES)
const removal = z.strictObject(named)

export type PermissionPorts = { readonly visibilityOf: (organisationId: string) => Visibility }

export function permissionRoutes({ visibilityOf }: PermissionPorts): Hono<AdminEnv> {
  const visibility = (c: Context<AdminEnv>): Visibility => visibilityOf(c.get('principal').organisationId)

  const list: Handler = async (c) => {
    const snapshot = await visibility(c).read(c.get('background'))
    if (!snapshot.ok) return respondWithProblem(snapshot.error)
    const agentType = c.req.param('agentType')
    const concerning = snapshot.value.image.permissions
      .filter((rule) => agentType === undefined || [agentType, EVERYTHING].includes(rule.agentType))
      .toSorted(inOrder)
    const page = pageOf(concerning.map(viewRule), c.req.query())
    return page.ok ? json(page.value) : respondWithProblem(page.error)
  }
  const put: Handler = async (c) => {
    const body = await readBody(c.req.raw, rules)
    if (!body.ok) return respondWithProblem(body.error)
    const given = Array.isArray(body.value) ? body.value : [body.value]
    const written = withoutRepeats(given.map(({ allowed, ...rule }) => ({ ...rule, isAllowed: allowed })))
    const act = {
      actor: c.get('principal').subject,
      action: 'permission.set',
      target: written
        .map(({ agentType, tool }) => `${agentType} ${tool}`)
        .join(', ')
        .slice(0, 200),
      detail: { rules: given },
    }
    const stored = visibility(c).store.putRules(written, act)
    const snapshot = await visibility(c).commit(stored, c.get('background'))
    if (!snapshot.ok) return respondWithProblem(snapshot.error)
    const texts = written.map(viewRule)
    return json(Array.isArray(body.value) ? `{"items":[${texts.join(',')}]}` : (texts[0] ?? '{}'))
  }
  const remove: Handler = async (c) => {
    const { agentType, tool } = c.req.query()
    const isInQuery = agentType !== undefined || tool !== undefined
    const request = isInQuery
      ? new Request(c.req.url, { method: 'POST', body: JSON.stringify({ agentType, tool }) })
      : c.req.raw
    const body = await readBody(request, removal)
    if (!body.ok) return respondWithProblem(body.error)
    const rule = body.value
    const before = await visibility(c).committed(c.get('background'))
    if (!before.ok) return respondWithProblem(before.error)
    if (!before.value.image.permissions.some((each) => isSame(each, rule))) {
      return respondWithProblem(unknownRule(rule.agentType, rule.tool))
    }
    const act = {
      actor: c.get('principal').subject,
      action: 'permission.delete',
      target: `${rule.agentType} ${rule.tool}`,
    }
    const after = await visibility(c).commit(visibility(c).store.removeRule(rule, act), c.get('background'))
    return after.ok ? json(JSON.stringify({ ...rule, deleted: true })) : respondWithProblem(after.error)
  }

  const routes = new Hono<AdminEnv>()
  const permissions = '/api/v1/permissions'
  routes.get(permissions, list).put(permissions, put).delete(permissions, remove)
  routes.get(`${permissions}/:agentType`, list)
  return routes
}

const viewRule = ({ agentType, tool, isAllowed }: PermissionRule): string =>
  JSON.stringify({ agentType, tool, allowed: isAllowed })

/** Two rules that agree in both are one. */
type RuleKey = Pick<PermissionRule, 'agentType' | 'tool'>

const isSame = (a: RuleKey, b: RuleKey): boolean => a.agentType === b.agentType && a.tool === b.tool

/** Of two for the same agent type and tool the later one counts. */
const withoutRepeats = (given: readonly PermissionRule[]): readonly PermissionRule[] => [
  ...new Map(given.map((rule) => [`${rule.agentType} ${rule.tool}`, rule])).values(),
]

const inOrder = (a: RuleKey, b: RuleKey): number =>
  compare(a.agentType, b.agentType) || compare(a.tool, b.tool)

const compare = (a: string, b: string): number => (a === b ? 0 : a < b ? -1 : 1)
