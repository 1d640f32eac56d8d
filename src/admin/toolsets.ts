/** Toolsets: selections of tools with an endpoint of their own, made, listed, changed, removed. */
import { type Context, Hono } from 'hono'
import * as z from 'zod'
import { err, ok, type Result } from '../platform/result.ts'
import type { Background } from '../platform/background.ts'
import type { Toolset } from '../registry/image.ts'
import { isPublicName, readEveryToolOf } from '../registry/name.ts'
import type { Snapshot } from '../registry/snapshot.ts'
import { readBody, slug } from './body.ts'
import type { AdminEnv, Handler } from './env.ts'
import { pageOf } from './page.ts'
import {
  duplicateName,
  duplicateToolset,
  invalidBody,
  type Problem,
  respondWithProblem,
  unknownToolset,
} from './problem.ts'
import { json } from './services.ts'
import type { Visibility } from './visibility.ts'

const MAX_TOOLS = 1_000

const isChoice = (text: string): boolean => isPublicName(text) || readEveryToolOf(text) !== undefined
const tools = z
  .array(z.string().refine(isChoice, 'must be a public name or <service>/*'))
  .min(1)
  .max(MAX_TOOLS)
const creation = z.strictObject({ slug, tools })
const change = creation.partial()

export type ToolsetPorts = { readonly visibilityOf: (organisationId: string) => Visibility }

export function toolsetRoutes({ visibilityOf }: ToolsetPorts): Hono<AdminEnv> {
  const visibility = (c: Context<AdminEnv>): Visibility => visibilityOf(c.get('principal').organisationId)
  const background = (c: Context<AdminEnv>): Background => c.get('background')
  const slugOf = (c: Context<AdminEnv>): string => c.req.param('slug') ?? ''
  const act = (c: Context<AdminEnv>, verb: string, target: string, detail?: Record<string, unknown>) => ({
    actor: c.get('principal').subject,
    action: `toolset.${verb}`,
    target,
    ...(detail && { detail }),
  })

  const list: Handler = async (c) => {
    const snapshot = await visibility(c).read(background(c))
    if (!snapshot.ok) return respondWithProblem(snapshot.error)
    const page = pageOf(snapshot.value.image.toolsets.map(viewToolset), c.req.query())
    return page.ok ? json(page.value) : respondWithProblem(page.error)
  }
  const create: Handler = async (c) => {
    const body = await readBody(c.req.raw, creation)
    if (!body.ok) return respondWithProblem(body.error)
    const given = { slug: body.value.slug, tools: unique(body.value.tools) }
    const before = await visibility(c).committed(background(c))
    if (!before.ok) return respondWithProblem(before.error)
    if (before.value.service(given.slug)) return respondWithProblem(duplicateName(given.slug))
    const taken = duplicateToolset(given.slug)
    if (before.value.toolset(given.slug)) return respondWithProblem(taken)
    const stored = visibility(c).store.insertToolset(
      given,
      act(c, 'create', given.slug, { tools: given.tools }),
    )
    return respond(await visibility(c).commit(stored, background(c), taken), given.slug, 201)
  }
  const show: Handler = async (c) => respond(await visibility(c).read(background(c)), slugOf(c))
  const update: Handler = async (c) => {
    const body = await readBody(c.req.raw, change)
    if (!body.ok) return respondWithProblem(body.error)
    const before = findIn(await visibility(c).committed(background(c)), slugOf(c))
    if (!before.ok) return respondWithProblem(before.error)
    if ((body.value.slug ?? slugOf(c)) !== slugOf(c)) return respondWithProblem(fixedSlug)
    const given = { id: before.value.id, tools: unique(body.value.tools ?? before.value.tools) }
    const stored = visibility(c).store.updateToolset(
      given,
      act(c, 'update', slugOf(c), { tools: given.tools }),
    )
    return respond(await visibility(c).commit(stored, background(c)), slugOf(c))
  }
  const remove: Handler = async (c) => {
    const before = findIn(await visibility(c).committed(background(c)), slugOf(c))
    if (!before.ok) return respondWithProblem(before.error)
    const stored = visibility(c).store.removeToolset(before.value.id, act(c, 'delete', slugOf(c)))
    const after = await visibility(c).commit(stored, background(c))
    const { id, slug: name } = before.value
    return after.ok
      ? json(JSON.stringify({ id, slug: name, deleted: true }))
      : respondWithProblem(after.error)
  }

  const routes = new Hono<AdminEnv>()
  const toolsets = '/api/v1/toolsets'
  routes.get(toolsets, list).post(toolsets, create)
  routes.get(`${toolsets}/:slug`, show).put(`${toolsets}/:slug`, update).delete(`${toolsets}/:slug`, remove)
  return routes
}

function findIn(snapshot: Result<Snapshot, Problem>, name: string): Result<Toolset, Problem> {
  if (!snapshot.ok) return snapshot
  const toolset = snapshot.value.toolset(name)
  return toolset ? ok(toolset) : err(unknownToolset(name))
}

function respond(snapshot: Result<Snapshot, Problem>, name: string, status = 200): Response {
  const found = findIn(snapshot, name)
  if (!found.ok) return respondWithProblem(found.error)
  const etag = `"${Date.parse(found.value.updatedAt).toString(36)}"`
  return json(viewToolset(found.value), status, { etag })
}

const viewToolset = (toolset: Toolset): string => JSON.stringify(toolset)

const unique = (names: readonly string[]): readonly string[] => [...new Set(names)]

const fixedSlug = invalidBody([
  { field: 'slug', message: 'cannot be changed; make a toolset with the new one' },
])
