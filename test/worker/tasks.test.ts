/** Tasks (2025-11-25, experimental; extension of 2026-07-28): whoever began one finds it again, and nobody else. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { API_KEY, type Gateway } from '../support/gateway.ts'
import { type LegacySession, openLegacySession } from '../support/legacy-session.ts'
import { modernCall } from '../support/modern-call.ts'
import { startStack, type Stack } from '../support/stack.ts'
import { TASKS_EXTENSION } from '../support/task.ts'
import { startUpstream, type Upstream } from '../support/upstream.ts'

let stack: Stack
let gateway: Gateway
let modern: Upstream
let legacy: Upstream

beforeAll(async () => {
  stack = await startStack()
  gateway = await stack.gateway()
  modern = await startUpstream({ era: 'modern', runsTasks: true })
  legacy = await startUpstream({ era: 'legacy', stateful: true, runsTasks: true })
  await gateway.register('modern', modern.url)
  await gateway.register('legacy', legacy.url)
})
afterAll(async () => {
  await stack.close()
  await Promise.all([modern.stop(), legacy.stop()])
})

const CAPABILITIES = { extensions: { [TASKS_EXTENSION]: {} } }

describe('a task of a modern upstream', () => {
  const path = '/mcp'
  const begin = async (): Promise<string> => {
    const call = modernCall('modern__task', { capabilities: CAPABILITIES })
    const { body } = await gateway.fetch(path, call)
    expect(body.result).toMatchObject({ resultType: 'task', status: 'working' })
    return body.result.taskId
  }
  const ask = async (method: string, taskId: string, rest: object = {}): Promise<any> => {
    const call = modernCall(taskId, { method, capabilities: CAPABILITIES, rest: { taskId, ...rest } })
    return (await gateway.fetch(path, call)).body
  }

  it.each([
    ['tasks/get', 'completed'],
    ['tasks/cancel', 'cancelled'],
    ['tasks/update', 'completed'],
  ])('%s finds it by the id that was given', async (method, status) => {
    const taskId = await begin()
    expect(taskId).not.toBe('task-1')
    const { result } = await ask(method, taskId, { inputResponses: { a: 1 } })
    expect(result).toMatchObject({ taskId, status })
    const [seen] = modern.calls(method).slice(-1)
    expect(seen?.message?.params).toMatchObject({ taskId: 'task-1', inputResponses: { a: 1 } })
    expect(seen?.headers['mcp-name']).toBe('task-1')
  })

  it('is unknown by any other id, and to any other caller', async () => {
    const taskId = await begin()
    const before = modern.calls('tasks/get').length
    const unknown = { code: -32602, message: 'Invalid params: unknown taskId' }
    for (const wrong of ['task-1', `${taskId}x`, `${taskId.startsWith('A') ? 'B' : 'A'}${taskId.slice(1)}`]) {
      expect((await ask('tasks/get', wrong)).error).toEqual(unknown)
    }
    const call = modernCall(taskId, { method: 'tasks/get', rest: { taskId } })
    const foreign = { ...call, headers: { ...call.headers, authorization: '', 'x-api-key': API_KEY } }
    expect((await gateway.fetch(path, foreign)).body.error).toEqual(unknown)
    expect(modern.calls('tasks/get')).toHaveLength(before)
  })

  it('has its own id where there is one service only', async () => {
    const call = modernCall('task', { capabilities: CAPABILITIES })
    expect((await gateway.fetch('/mcp/modern', call)).body.result.taskId).toBe('task-1')
    const get = modernCall('task-1', { method: 'tasks/get', rest: { taskId: 'task-1' } })
    expect((await gateway.fetch('/mcp/modern', get)).body.result.status).toBe('completed')
  })
})

describe('a task of a legacy upstream', () => {
  const open = (): Promise<LegacySession> =>
    openLegacySession(gateway, { capabilities: { tasks: { list: {}, cancel: {} } } })
  const ask = async (session: LegacySession, method: string, params: object): Promise<any> =>
    (await session.post(JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }))).body
  const begin = async (session: LegacySession): Promise<string> => {
    const { result } = await ask(session, 'tools/call', { name: 'legacy__task', task: { ttl: 60_000 } })
    expect(result.task).toMatchObject({ status: 'working' })
    return result.task.taskId
  }

  it('is found, listed, cancelled and fetched by the id that was given', async () => {
    const session = await open()
    const taskId = await begin(session)
    expect(taskId).not.toBe('task-1')
    expect((await ask(session, 'tasks/get', { taskId })).result).toMatchObject({ taskId })
    expect((await ask(session, 'tasks/list', {})).result.tasks).toMatchObject([{ taskId }])
    const fetched = await ask(session, 'tasks/result', { taskId })
    expect(fetched.result.content[0].text).toBe('done')
    expect(fetched.result._meta['io.modelcontextprotocol/related-task']).toEqual({ taskId })
    expect((await ask(session, 'tasks/cancel', { taskId })).result.status).toBe('cancelled')
    expect(legacy.calls('tasks/get').at(-1)?.message?.params).toEqual({ taskId: 'task-1' })
  })

  it('is unknown by any other id', async () => {
    const session = await open()
    const taskId = await begin(session)
    const before = legacy.calls('tasks/get').length
    for (const wrong of ['task-1', `${taskId}x`]) {
      const { error } = await ask(session, 'tasks/get', { taskId: wrong })
      expect(error).toMatchObject({ code: -32602, message: /unknown taskId/ })
    }
    expect(legacy.calls('tasks/get')).toHaveLength(before)
  })
})
