/** Toolsets: selections of tools with an endpoint of their own, made, listed, changed, removed. */
import { type Context, Hono } from 'hono'
import { err, ok, type Result } from '../platform/result.ts'
import type { Background } from '../platform/background.ts'
import type { Toolset } from '../registry/image.ts'
import type { Snapshot } from '../registry/snapshot.ts'
import { actorOf } from './actor.ts'
import { type Answered, answering, json } from './answer.ts'
import * as api from './api/toolsets.ts'
import { readBody, readQuery, readWrite } from './body.ts'
import { decide } from './decision.ts'
import type { AdminEnv } from './env.ts'
import { etagOf, type Expected, isExpected, readExpected } from './etag.ts'
import { mount } from './operation.ts'
import { pageOf } from './page.ts'
import {
  changedMeanwhile,
  contended,
  duplicateName,
  duplicateToolset,
  invalidBody,
  type Problem,
  unknownToolset,
} from './problem.ts'
import type { Visibility } from './visibility.ts'

export type ToolsetPorts = { readonly visibilityOf: (organisationId: string) => Visibility }

export function toolsetRoutes({ visibilityOf }: ToolsetPorts): Hono<AdminEnv> {
  const visibility = (c: Context<AdminEnv>): Visibility => visibilityOf(c.get('principal').organisationId)
  const background = (c: Context<AdminEnv>): Background => c.get('background')
  const slugOf = (c: Context<AdminEnv>): string => c.req.param('slug') ?? ''
  const act = (c: Context<AdminEnv>, verb: string, target: string, detail?: Record<string, unknown>) => ({
    actor: actorOf(c),
    action: `toolset.${verb}`,
    target,
    ...(detail && { detail }),
  })

  const list = answering(async (c) => {
    const asked = readQuery(c.req.query(), api.listToolsets.query)
    if (!asked.ok) return asked
    const snapshot = await visibility(c).ledger.read(background(c))
    return snapshot.ok
      ? ok(json(pageOf(snapshot.value.image.toolsets.map(viewToolset), asked.value)))
      : snapshot
  })
  const create = answering(async (c) => {
    const body = await readBody(c.req.raw, api.createToolset.body)
    if (!body.ok) return body
    const given = { slug: body.value.slug, tools: unique(body.value.tools) }
    const { ledger, store } = visibility(c)
    const before = await ledger.committed(background(c))
    if (!before.ok) return before
    if (before.value.service(given.slug)) return err(duplicateName(given.slug))
    const taken = duplicateToolset(given.slug)
    if (before.value.toolset(given.slug)) return err(taken)
    const stored = store.insertToolset(given, act(c, 'create', given.slug, { tools: given.tools }))
    const after = await ledger.commit(stored, background(c), taken)
    if (!after.ok && after.error === contended) return err(duplicateName(given.slug))
    return respond(after, given.slug, 201)
  })
  const show = answering(async (c) => respond(await visibility(c).ledger.read(background(c)), slugOf(c)))
  const update = answering(async (c) => {
    const asked = await readWrite(c.req.raw, api.updateToolset.body)
    if (!asked.ok) return asked
    const { body, expected } = asked.value
    const { ledger, store } = visibility(c)
    const after = await decide(async () => {
      const before = expect(await ledger.committed(background(c)), slugOf(c), expected)
      if (!before.ok) return before
      if ((body.slug ?? slugOf(c)) !== slugOf(c)) return err(fixedSlug)
      const tools = unique(body.tools ?? before.value.tools)
      const stored = store.updateToolset(before.value, tools, act(c, 'update', slugOf(c), { tools }))
      return await ledger.commit(stored, background(c))
    })
    return respond(after, slugOf(c))
  })
  const remove = answering(async (c) => {
    const expected = readExpected(c.req.raw.headers)
    if (!expected.ok) return expected
    const { ledger, store } = visibility(c)
    return await decide(async () => {
      const before = expect(await ledger.committed(background(c)), slugOf(c), expected.value)
      if (!before.ok) return before
      const stored = store.removeToolset(before.value, act(c, 'delete', slugOf(c)))
      const after = await ledger.commit(stored, background(c))
      const { id, slug } = before.value
      return after.ok ? ok(json(JSON.stringify({ id, slug, deleted: true }))) : after
    })
  })

  const routes = new Hono<AdminEnv>()
  mount(routes, api.listToolsets, list)
  mount(routes, api.createToolset, create)
  mount(routes, api.showToolset, show)
  mount(routes, api.updateToolset, update)
  mount(routes, api.removeToolset, remove)
  return routes
}

function findIn(snapshot: Result<Snapshot, Problem>, name: string): Result<Toolset, Problem> {
  if (!snapshot.ok) return snapshot
  const toolset = snapshot.value.toolset(name)
  return toolset ? ok(toolset) : err(unknownToolset(name))
}

function expect(
  snapshot: Result<Snapshot, Problem>,
  name: string,
  expected: Expected,
): Result<Toolset, Problem> {
  const found = findIn(snapshot, name)
  return !found.ok || isExpected(expected, etagOf(found.value)) ? found : err(changedMeanwhile)
}

function respond(snapshot: Result<Snapshot, Problem>, name: string, status = 200): Answered {
  const found = findIn(snapshot, name)
  return found.ok ? ok(json(viewToolset(found.value), status, { etag: etagOf(found.value) })) : found
}

const viewToolset = (toolset: Toolset): string => JSON.stringify(toolset)

const unique = (names: readonly string[]): readonly string[] => [...new Set(names)]

const fixedSlug = invalidBody([
  { field: 'slug', message: 'cannot be changed; make a toolset with the new one' },
])
