/** Tools: listed under the names that callers use, and what operators say of each. */
import { type Context, Hono } from 'hono'
import { hasScope, scopesUpTo } from '../identity/scope.ts'
import { err, ok, type Result } from '../platform/result.ts'
import { cut, membersOf, writeObject } from '../protocol/json.ts'
import { scopeChallenge } from '../protocol/refusal.ts'
import { namesOf, type NamedTarget, publicNameOf } from '../registry/names.ts'
import type { Snapshot } from '../registry/snapshot.ts'
import { actorOf } from './actor.ts'
import { type Answered, answering, json } from './answer.ts'
import * as api from './api/tools.ts'
import type { AskPorts } from './ask.ts'
import { readQuery, readWrite } from './body.ts'
import { callTool } from './call.ts'
import { decide } from './decision.ts'
import type { AdminEnv } from './env.ts'
import { etagOf, isExpected } from './etag.ts'
import { mount } from './operation.ts'
import { pageOf } from './page.ts'
import {
  changedMeanwhile,
  forbidden,
  type Problem,
  respondWithProblem,
  takenAlias,
  unknownService,
  unknownTool,
} from './problem.ts'
import type { Visibility } from './visibility.ts'

export type ToolPorts = AskPorts & { readonly visibilityOf: (organisationId: string) => Visibility }

export function toolRoutes(ports: ToolPorts): Hono<AdminEnv> {
  const visibility = (c: Context<AdminEnv>): Visibility =>
    ports.visibilityOf(c.get('principal').organisationId)

  const list = answering(async (c) => {
    const asked = readQuery(c.req.query(), api.listTools.query)
    if (!asked.ok) return asked
    const snapshot = await visibility(c).ledger.read(c.get('background'))
    if (!snapshot.ok) return snapshot
    const { manages, agentType, scopes } = c.get('principal')
    if (!hasScope(scopes, 'mcp:read')) return ok(lackingRead())
    const tools = manages === 'all' ? snapshot.value.everyTool : seenBy(agentType, snapshot.value)
    return ok(json(pageOf(tools.map(viewTool), asked.value)))
  })
  const show = answering(async (c) => {
    const snapshot = await visibility(c).ledger.read(c.get('background'))
    if (!snapshot.ok) return snapshot
    const { manages, agentType, scopes } = c.get('principal')
    if (!hasScope(scopes, 'mcp:read')) return ok(lackingRead())
    const found = findIn(snapshot.value, c)
    const isSeen = manages === 'all' || (found.ok && seenBy(agentType, snapshot.value).includes(found.value))
    return respond(isSeen ? found : err(unknownTool(nameOf(c).service, nameOf(c).tool)))
  })
  const update = answering(async (c) => {
    const asked = await readWrite(c.req.raw, api.updateTool.body)
    if (!asked.ok) return asked
    const { body, expected } = asked.value
    const { ledger, store, defaultTtlSeconds } = visibility(c)
    const { cacheTtlSeconds: ttl } = body
    const said = { ...body, cacheTtlSeconds: ttl === 'default' ? defaultTtlSeconds : ttl }
    return await decide(async () => {
      const before = await ledger.committed(c.get('background'))
      if (!before.ok) return before
      const target = findIn(before.value, c)
      if (!target.ok) return target
      if (!isExpected(expected, tagOf(target.value))) return err(changedMeanwhile)
      const { service, localName: tool, setting } = target.value
      const { alias } = body
      const holder = typeof alias === 'string' ? holderOf(alias, target.value, before.value) : undefined
      if (typeof alias === 'string' && holder !== undefined) return err(takenAlias(alias, holder))
      const act = {
        actor: actorOf(c),
        action: 'tool.update',
        target: `${service.name}/${tool}`,
        detail: said,
      }
      const key = { serviceId: service.id, tool }
      const basis = expected && { ...key, isEnabled: true, ...setting }
      const stored = store.changeSetting(key, said, act, basis)
      const after = await ledger.commit(stored, c.get('background'))
      return respond(after.ok ? findIn(after.value, c) : after)
    })
  })

  const routes = new Hono<AdminEnv>()
  mount(routes, api.listTools, list)
  mount(routes, api.showTool, show)
  mount(routes, api.callTool, (c) => callTool(c, ports))
  mount(routes, api.updateTool, update)
  return routes
}

/** Of an issuer's token that says nothing here. */
function lackingRead(): Response {
  const response = respondWithProblem(forbidden)
  response.headers.set('www-authenticate', scopeChallenge(scopesUpTo('mcp:read')))
  return response
}

const nameOf = (c: Context<AdminEnv>) => ({
  service: c.req.param('service') ?? '',
  tool: c.req.param('tool') ?? '',
})

function findIn(snapshot: Snapshot, c: Context<AdminEnv>): Result<NamedTarget, Problem> {
  const { service: idOrName, tool } = nameOf(c)
  const service = snapshot.service(idOrName) ?? snapshot.serviceById(idOrName)
  if (!service) return err(unknownService(idOrName))
  const target = snapshot.everyTool.find(isTool(service.id, tool))
  return target ? ok(target) : err(unknownTool(service.name, tool))
}

const respond = (found: Result<NamedTarget, Problem>): Answered =>
  found.ok ? ok(json(viewTool(found.value), 200, { etag: tagOf(found.value) })) : found

/** Of what operators say of it; that its results are thrown away is no part of that. */
const tagOf = ({ service, localName, setting }: NamedTarget): string =>
  etagOf([service.id, localName, { isEnabled: true, ...setting, ...NOT_SAID }])

const NOT_SAID = { serviceId: undefined, tool: undefined, cacheEpoch: undefined }

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
  const { isEnabled = true, cacheTtlSeconds, cacheScope, timeoutMs, alias, description } = setting ?? {}
  const members: [string, string | undefined][] = [
    ['name', JSON.stringify(publicNameOf(target))],
    ['service', JSON.stringify(service.name)],
    ['tool', JSON.stringify(localName)],
    ['description', description === undefined ? raw('description') : JSON.stringify(description)],
    ['inputSchema', raw('inputSchema')],
    ['isEnabled', JSON.stringify(isEnabled)],
    ['cacheTtlSeconds', JSON.stringify(cacheTtlSeconds)],
    ['cacheScope', JSON.stringify(cacheScope)],
    ['timeoutMs', JSON.stringify(timeoutMs)],
    ['alias', JSON.stringify(alias)],
  ]
  return writeObject(members.filter((member): member is [string, string] => member[1] !== undefined))
}
