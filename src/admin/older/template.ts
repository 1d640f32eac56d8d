/** Document 003, "Core MCP Operations": a service, or a toolset, as a template that agents list, call and read. */
import { type Context, Hono } from 'hono'
import { hasScope, scopesUpTo } from '../../identity/scope.ts'
import { ok, type Result } from '../../platform/result.ts'
import { editMember, readMember, readText } from '../../protocol/edit.ts'
import { cut, elementsOf, writeObject } from '../../protocol/json.ts'
import { scopeChallenge } from '../../protocol/refusal.ts'
import { json } from '../answer.ts'
import * as api from '../api/older.ts'
import { ask, type AskPorts, problemOf, respondUnanswered, type Unanswered } from '../ask.ts'
import { readRawBody } from '../body.ts'
import type { AdminEnv, Handler } from '../env.ts'
import { guardAway, healthOf, type ServiceFigures } from '../figures.ts'
import { mount, type Operation } from '../operation.ts'
import { respondWithProblem } from '../problem.ts'
import type { ServicePorts } from '../services.ts'
import type { ServiceRecord } from '../../registry/image.ts'

export type TemplatePorts = AskPorts & ServicePorts

export function templateRoutes(ports: TemplatePorts): Hono<AdminEnv> {
  const list =
    (member: 'tools' | 'resources', dress: (item: string) => string): Handler =>
    async (c) => {
      const listed = await listAll(c, member, ports)
      if (!listed.ok) return respondUnanswered(listed.error)
      const { value } = listed
      return json(`{"${member}":[${value.map(dress).join(',')}],"count":${value.length}}`)
    }
  /** The members of the body are the `params` of the method. */
  const pass =
    (
      method: string,
      { body: schema }: Required<Pick<Operation, 'body'>>,
      dress: (result: string) => string,
    ): Handler =>
    async (c) => {
      const body = await readRawBody(c.req.raw, schema)
      if (!body.ok) return respondWithProblem(body.error)
      c.set('isRecorded', true)
      const question = { endpoint: templateOf(c), method, params: body.value.raw }
      const answered = await ask(c.req.raw, question, ports, c.get('background'))
      if (!answered.ok) return respondUnanswered(answered.error)
      const { result, headers } = answered.value
      return json(dress(result), 200, headers)
    }
  const routes = new Hono<AdminEnv>()
  mount(routes, api.listTemplateTools, list('tools', withParameters))
  mount(routes, api.callTemplateTool, pass('tools/call', api.callTemplateTool, withIsError))
  mount(routes, api.listTemplateResources, list('resources', same))
  mount(routes, api.readTemplateResource, pass('resources/read', api.readTemplateResource, same))
  mount(routes, api.showTemplateHealth, (c) => showHealth(c, ports))
  return routes
}

const templateOf = (c: Context<AdminEnv>): string => c.req.param('template') ?? ''

const same = (text: string): string => text

/** The document calls the schema of a tool its parameters. */
const withParameters = (tool: string): string =>
  editMember(tool, ['parameters'], (raw) =>
    raw === undefined ? readMember(tool, ['inputSchema']) : undefined,
  )

/** The document's answers always say whether the tool failed. */
const withIsError = (result: string): string =>
  editMember(result, ['isError'], (raw) => (raw === undefined ? 'false' : undefined))

/** What is listed on all pages, as raw texts. */
async function listAll(
  c: Context<AdminEnv>,
  member: 'tools' | 'resources',
  ports: AskPorts,
): Promise<Result<readonly string[], Unanswered>> {
  c.set('isRecorded', true)
  const items: string[] = []
  let cursor: string | undefined
  do {
    const params = cursor === undefined ? [] : ([['cursor', JSON.stringify(cursor)]] as const)
    const question = { endpoint: templateOf(c), method: `${member}/list`, params }
    const page = await ask(c.req.raw, question, ports, c.get('background'))
    if (!page.ok) return page
    const list = readMember(page.value.result, [member]) ?? '[]'
    items.push(...elementsOf(list).map((item) => cut(list, item)))
    cursor = readText(page.value.result, ['nextCursor'])
  } while (cursor !== undefined)
  return ok(items)
}

async function showHealth(c: Context<AdminEnv>, { registrarOf, figures }: ServicePorts): Promise<Response> {
  const { organisationId, scopes } = c.get('principal')
  if (!hasScope(scopes, 'mcp:read')) return respondUnanswered(lackingRead())
  const found = await registrarOf(organisationId).ledger.find(templateOf(c), c.get('background'))
  if (!found.ok) return respondWithProblem(found.error)
  const seen = await figures(found.value)
  return seen.ok ? json(viewTemplate(found.value, seen.value)) : respondWithProblem(guardAway)
}

function lackingRead(): Unanswered {
  const needed = scopesUpTo('mcp:read')
  const problem = problemOf({ why: 'insufficient_scope', scopes: needed })
  return { problem, challenge: scopeChallenge(needed) }
}

/** No instance of a service to which no calls get through counts as healthy. */
export function viewTemplate(service: ServiceRecord, figures: ServiceFigures): string {
  const { status, instances } = healthOf(service, figures)
  const isHealthy = (instance: { readonly status: string }): boolean =>
    status !== 'unhealthy' && instance.status === 'healthy'
  const healthy = instances.filter(isHealthy).length
  const seen = instances.map((instance) => {
    const state = { healthy: isHealthy(instance), status: isHealthy(instance) ? 'healthy' : 'unhealthy' }
    return [instance.id, JSON.stringify(state)] as const
  })
  return writeObject([
    ['template_name', JSON.stringify(service.name)],
    ['total_instances', String(instances.length)],
    ['healthy_instances', String(healthy)],
    ['health_percentage', String(Math.round((healthy / instances.length) * 1_000) / 10)],
    ['instances', writeObject(seen)],
  ])
}
