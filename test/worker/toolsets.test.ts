/** Toolsets: made, changed, removed, and their endpoints as clients of both eras find them. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually, type Gateway } from '../support/gateway.ts'
import { addKey } from '../support/key.ts'
import { openLegacySession } from '../support/legacy-session.ts'
import { modernCall } from '../support/modern-call.ts'
import { startStack, type Stack } from '../support/stack.ts'
import { TASKS_EXTENSION } from '../support/task.ts'
import { startUpstream, type Upstream } from '../support/upstream.ts'

let stack: Stack
let gateway: Gateway
let first: Upstream
let second: Upstream
let coder: { readonly authorization: string }

const PATH = '/api/v1/toolsets'
const offered = {
  tools: [{ name: 'show', inputSchema: { type: 'object' } }],
  resources: [{ uri: 'file:///a', name: 'a' }],
  prompts: [{ name: 'p' }],
}

beforeAll(async () => {
  stack = await startStack()
  coder = await addKey(stack, 'coder')
  gateway = await stack.gateway()
  first = await startUpstream({ era: 'legacy', ...offered })
  second = await startUpstream({ era: 'modern', runsTasks: true, ...offered })
  await gateway.register('first', first.url)
  await gateway.register('second', second.url)
  const made = await gateway.manage('POST', PATH, { slug: 'some', tools: ['echo', 'second__show', 'echo'] })
  expect(made.status).toBe(201)
  expect(made.body).toMatchObject({ slug: 'some', tools: ['echo', 'second__show'] })
})
afterAll(async () => {
  await stack.close()
  await Promise.all([first.stop(), second.stop()])
})

describe.each(['legacy', 'modern'] as const)('the endpoint of a toolset for a %s client', (era) => {
  const ask = (method: string, params: object = {}, path = '/mcp/some', headers = {}) =>
    era === 'legacy'
      ? gateway.rpc(method, params, { path, headers })
      : gateway.modern(method, params, { path, headers })
  const names = async (headers = {}): Promise<string[]> =>
    (await ask('tools/list', {}, '/mcp/some', headers)).body.result.tools.map(
      ({ name }: { name: string }) => name,
    )

  it('lists and calls exactly what was chosen', async () => {
    expect(await names()).toEqual(['echo', 'second__show'])
    const { body } = await ask('tools/call', { name: 'second__show', arguments: { text: 'hi' } })
    expect(body.result.content[0].text).toBe('hi')
    for (const name of ['show', 'first__show', 'raw']) {
      const refused = await ask('tools/call', { name, arguments: {} })
      expect(refused.body.error).toEqual({ code: -32602, message: `Unknown tool: ${name}` })
    }
  })

  it('has tools, and neither resources nor prompts', async () => {
    const method = era === 'legacy' ? 'initialize' : 'server/discover'
    const params = era === 'legacy' ? { protocolVersion: '2025-11-25', capabilities: {} } : {}
    const { capabilities } = (await ask(method, params)).body.result
    expect(capabilities.tools).toEqual({ listChanged: true })
    for (const name of ['resources', 'prompts', 'completions']) expect(capabilities).not.toHaveProperty(name)
    expect((await ask('resources/list')).body.result.resources).toEqual([])
    expect((await ask('prompts/list')).body.result.prompts).toEqual([])
    expect((await ask('prompts/get', { name: 'p' })).body.error.message).toBe('Unknown prompt: p')
  })

  it('S21 shows a caller no more of it than it may use', async () => {
    const rule = { agentType: 'coder', tool: 'second/*' }
    await gateway.manage('PUT', '/api/v1/permissions', { ...rule, allowed: false })
    expect(await names(coder)).toEqual(['echo'])
    expect(await names()).toEqual(['echo', 'second__show'])
    const { body } = await ask('tools/call', { name: 'second__show', arguments: {} }, '/mcp/some', coder)
    expect(body.error).toEqual({ code: -32602, message: 'Unknown tool: second__show' })
    await gateway.manage('DELETE', '/api/v1/permissions', rule)
  })
})

describe('a task begun at the endpoint of a toolset', () => {
  it('S21 has a sealed id there as at the endpoint of everything, and is found by it', async () => {
    await gateway.manage('POST', PATH, { slug: 'work', tools: ['second__task'] })
    const capabilities = { extensions: { [TASKS_EXTENSION]: {} } }
    const begun = await gateway.fetch('/mcp/work', modernCall('second__task', { capabilities }))
    const { taskId } = begun.body.result
    expect(taskId).toMatch(/^.{40,}$/)
    const about = (id: string) => modernCall(id, { method: 'tasks/get', capabilities, rest: { taskId: id } })
    expect((await gateway.fetch('/mcp/work', about(taskId))).body.result).toMatchObject({ taskId })
    expect((await gateway.fetch('/mcp/work', about('task-1'))).body.error.message).toMatch(/unknown taskId/)
  })
})

describe('a session at the endpoint of a toolset', () => {
  it('S23 is of this endpoint, and no other opens it', async () => {
    const { headers } = await openLegacySession(gateway, { path: '/mcp/some' })
    expect((await gateway.rpc('tools/list', {}, { path: '/mcp/some', headers })).status).toBe(200)
    for (const path of ['/mcp', '/mcp/first']) {
      expect((await gateway.rpc('tools/list', {}, { path, headers })).status).toBe(404)
    }
  })
})

describe('a toolset', () => {
  const made = (slug: string, tools: readonly string[] = ['echo']) =>
    gateway.manage('POST', PATH, { slug, tools })

  it('shares its addresses with services: no two have one', async () => {
    const refusals = [await made('first'), await made('some'), await gateway.register('some', first.url)]
    for (const { status, body } of refusals) expect([status, body.code]).toEqual([409, 'duplicate_name'])
    for (const slug of ['health', 'Some', 'a_b', '']) expect((await made(slug)).status).toBe(400)
  })

  it('is changed, is listed, and is gone once', async () => {
    await made('brief')
    const changed = await gateway.manage('PUT', `${PATH}/brief`, { tools: ['first/*'] })
    expect([changed.status, changed.body.tools]).toEqual([200, ['first/*']])
    expect(changed.headers.get('etag')).toMatch(/^".+"$/)
    expect(await gateway.toolNames('/mcp/brief')).toContain('raw')
    expect((await gateway.manage('PUT', `${PATH}/brief`, { slug: 'other' })).status).toBe(400)
    const { items } = (await gateway.manage('GET', PATH)).body
    expect(items.map(({ slug }: { slug: string }) => slug)).toEqual(['some', 'work', 'brief'])
    expect((await gateway.manage('GET', `${PATH}/brief`)).body).toEqual(changed.body)
    expect((await gateway.manage('DELETE', `${PATH}/brief`)).status).toBe(200)
    expect((await gateway.manage('DELETE', `${PATH}/brief`)).body.code).toBe('unknown_toolset')
    expect((await gateway.rpc('tools/list', {}, { path: '/mcp/brief' })).status).toBe(404)
    expect((await made('brief')).status).toBe(201)
    await gateway.manage('DELETE', `${PATH}/brief`)
  })

  it('may name what is not registered yet, and holds it when it is', async () => {
    await made('soon', ['third/*'])
    expect(await gateway.toolNames('/mcp/soon')).toEqual([])
    await gateway.register('third', first.url)
    await eventually(2_000, async () => expect(await gateway.toolNames('/mcp/soon')).toContain('third__show'))
    for (const tools of [[], ['*'], ['a b'], 'echo', [1], ['/*']]) {
      expect((await gateway.manage('POST', PATH, { slug: 'bad', tools })).status).toBe(400)
    }
  })

  it('S20 is for operators to see and change', async () => {
    expect((await gateway.fetch(PATH, { headers: coder })).status).toBe(403)
  })
})
