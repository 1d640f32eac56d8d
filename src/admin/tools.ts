/** Tools: listed under the names that callers use, and what operators say of each. */
import { type Context, Hono } from 'hono'
import * as z from 'zod'
import { hasScope, scopesUpTo } from '../identity/scope.ts'
import { cut, membersOf, writeObject } from '../protocol/json.ts'
import { scopeChallenge } from '../protocol/refusal.ts'
import { isPublicName, mayBeBare } from '../registry/name.ts'
import { namesOf, type NamedTarget, publicNameOf } from '../registry/names.ts'
import type { Snapshot } from '../registry/snapshot.ts'
import { readBody, whole } from './body.ts'
import { callTool, type CallPorts } from './call.ts'
import type { AdminEnv, Handler } from './env.ts'
import { pageOf } from './page.ts'
import { forbidden, respondWithProblem, takenAlias, unknownService, unknownTool } from './problem.ts'
import { json } from './services.ts'
import type { Visibility } from './visibility.ts'

const MAX_DESCRIPTION_CHARS = 10_000

/** Postgres keeps no NUL and no half of a character. */
const isStorable = (text: string): boolean => !text.includes('\0') && text.isWellFormed()
/** One with a double underscore could be read as the tool of another service. */
const mayBeAlias = (text: string): boolean => isPublicName(text) && mayBeBare(text)

/** A member of null is taken away. */
const change = z
  .strictObject({
    isEnabled: z.boolean().nullable(),
    cacheTtlSeconds: whole(0, 86_400).nullable(),
    timeoutMs: whole(1, 600_000).nullable(),
    alias: z
      .string()
      .refine(mayBeAlias, 'must match ^[a-zA-Z0-9_-]{1,64}$ and hold no double underscore')
      .nullable(),
    description: z
      .string()
      .max(MAX_DESCRIPTION_CHARS)
      .refine(isStorable, 'must be text without NUL')
      .nullable(),
  })
  .partial()

export type ToolPorts = CallPorts & { readonly visibilityOf: (organisationId: string) => Visibility }

export function toolRoutes(ports: ToolPorts): Hono<AdminEnv> {
  const visibility = (c: Context<AdminEnv>): Visibility =>
    ports.visibilityOf(c.get('principal').organisationId)

  const list: Handler = async (c) => {
    const snapshot = await visibility(c).read(c.get('background'))
    if (!snapshot.ok) return respondWithProblem(snapshot.error)
    const { manages, agentType, scopes } = c.get('principal')
    if (!hasScope(scopes, 'mcp:read')) return lackingRead()
    const tools = manages === 'all' ? snapshot.value.everyTool : seenBy(agentType, snapshot.value)
    const page = pageOf(tools.map(viewTool), c.req.query())
    return page.ok ? json(page.value) : respondWithProblem(page.error)
  }
  const update: Handler = async (c) => {
    const body = await readBody(c.req.raw, change)
    if (!body.ok) return respondWithProblem(body.error)
    const before = await visibility(c).committed(c.get('background'))
    if (!before.ok) return respondWithProblem(before.error)
    const [idOrName = '', tool = ''] = [c.req.param('service'), c.req.param('tool')]
    const service = before.value.service(idOrName) ?? before.value.serviceById(idOrName)
    if (!service) return respondWithProblem(unknownService(idOrName))
    const target = before.value.everyTool.find(isTool(service.id, tool))
    if (!target) return respondWithProblem(unknownTool(service.name, tool))
    const { alias } = body.value
    const holder = typeof alias === 'string' ? holderOf(alias, target, before.value) : undefined
    if (typeof alias === 'string' && holder !== undefined)
      return respondWithProblem(takenAlias(alias, holder))
    const act = {
      actor: c.get('principal').subject,
      action: 'tool.update',
      target: `${service.name}/${tool}`,
      detail: body.value,
    }
    const stored = visibility(c).store.changeSetting({ serviceId: service.id, tool }, body.value, act)
    const after = await visibility(c).commit(stored, c.get('background'))
    if (!after.ok) return respondWithProblem(after.error)
    const changed = after.value.everyTool.find(isTool(service.id, tool))
    if (!changed) return respondWithProblem(unknownTool(service.name, tool))
    return json(viewTool(changed), 200, { etag: `"${after.value.version.toString(36)}"` })
  }

  const routes = new Hono<AdminEnv>()
  const tools = '/api/v1/tools'
  routes.get(tools, list).post(`${tools}/call`, (c) => callTool(c, ports))
  routes.patch(`${tools}/:service/:tool`, update)
  return routes
}

/** Of an issuer's token that says nothing here. */
function lackingRead(): Response {
  const response = respondWithProblem(forbidden)
  response.headers.set('www-authenticate', scopeChallenge(scopesUpTo('mcp:read')))
  return response
}

/** Callers who manage no more than what is theirs see here what they see by MCP. */
const seenBy = (agentType: string | undefined, snapshot: Snapshot): readonly NamedTarget[] =>
  snapshot
    .viewFor(agentType)
    .toolsAt({ is: 'all', names: 'bare' })
    .map(({ target }) => target)

const isTool =
  (serviceId: string, tool: string) =>
  ({ service, localName }: NamedTarget): boolean =>
    service.id === serviceId && localName === tool

/** Who has this name already, offered at the moment or not; a tool may be called as it is called anyway. */
function holderOf(alias: string, target: NamedTarget, snapshot: Snapshot): string | undefined {
  const { names, toolSettings } = snapshot.image
  const named = snapshot.everyTool.find((other) => other !== target && namesOf(other).includes(alias))
  if (named) return `tool '${named.localName}' of service '${named.service.name}'`
  const isOwn = ({ serviceId, tool }: { serviceId: string; tool: string }): boolean =>
    isTool(serviceId, tool)(target)
  const holders = [
    ...names.filter(({ kind, name }) => kind === 'tool' && name === alias && target.bare !== alias),
    ...toolSettings.filter((setting) => setting.alias === alias && !isOwn(setting)),
  ]
  const holder = holders.map(({ serviceId }) => snapshot.serviceById(serviceId)).find((service) => service)
  return holder && `service '${holder.name}'`
}

function viewTool(target: NamedTarget): string {
  const { service, localName, setting, offer } = target
  const own = membersOf(offer.text)
  const raw = (member: string): string | undefined => {
    const span = own.get(member)
    return span && cut(offer.text, span)
  }
  const { isEnabled = true, cacheTtlSeconds, timeoutMs, alias, description } = setting ?? {}
  const members: [string, string | undefined][] = [
    ['name', JSON.stringify(publicNameOf(target))],
    ['service', JSON.stringify(service.name)],
    ['tool', JSON.stringify(localName)],
    ['description', description === undefined ? raw('description') : JSON.stringify(description)],
    ['inputSchema', raw('inputSchema')],
    ['isEnabled', JSON.stringify(isEnabled)],
    ['cacheTtlSeconds', JSON.stringify(cacheTtlSeconds)],
    ['timeoutMs', JSON.stringify(timeoutMs)],
    ['alias', JSON.stringify(alias)],
  ]
  return writeObject(members.filter((member): member is [string, string] => member[1] !== undefined))
}
