/** Tasks of the fake upstream, in the experimental form of 2025-11-25 and in that of the modern extension. */
import { failure, type JsonObject, type Outcome } from './message.ts'

export const TASKS_EXTENSION = 'io.modelcontextprotocol/tasks'
const MODERN_METHODS: ReadonlySet<string> = new Set(['tasks/get', 'tasks/cancel', 'tasks/update'])
const LEGACY_METHODS: ReadonlySet<string> = new Set([
  'tasks/get',
  'tasks/cancel',
  'tasks/list',
  'tasks/result',
])

const stateOf = (taskId: string, status: string): JsonObject => ({
  taskId,
  status,
  createdAt: '2026-01-01T00:00:00Z',
  lastUpdatedAt: '2026-01-01T00:00:00Z',
  ttl: 60_000,
})

/** What a call that is not done at once comes to. */
export const taskBegun = (taskId: string, isModern: boolean): Outcome => {
  const task = stateOf(taskId, 'working')
  return { result: JSON.stringify(isModern ? { resultType: 'task', ...task } : { task }) }
}

/** `undefined`: no method of tasks. Only `task-1` is known. */
export function runTaskMethod(method: string, params: JsonObject, isModern: boolean): Outcome | undefined {
  if (!(isModern ? MODERN_METHODS : LEGACY_METHODS).has(method)) return undefined
  if (method === 'tasks/list') return { result: JSON.stringify({ tasks: [stateOf('task-1', 'working')] }) }
  const taskId = String(params['taskId'])
  if (taskId !== 'task-1') return failure(200, -32602, `Unknown task: ${taskId}`)
  if (method === 'tasks/result') {
    const _meta = { 'io.modelcontextprotocol/related-task': { taskId } }
    return { result: JSON.stringify({ content: [{ type: 'text', text: 'done' }], _meta }) }
  }
  const status = method === 'tasks/cancel' ? 'cancelled' : 'completed'
  return {
    result: JSON.stringify({ ...(isModern && { resultType: 'complete' }), ...stateOf(taskId, status) }),
  }
}
