/**
 * Tasks (2025-11-25, "Tasks", experimental; the extension of 2026-07-28): a task id that leaves through `/mcp`
 * is sealed with its service, so that every later request about it finds its way back without any memory.
 */
import { editMember, readMember, readText } from '../protocol/edit.ts'
import { cut, elementsOf } from '../protocol/json.ts'

const RELATED = ['_meta', 'io.modelcontextprotocol/related-task', 'taskId'] as const

type Seal = (taskId: string) => Promise<string>

/** The result or the parameters of a notification, with the ids of tasks replaced, those of a list of tasks too. */
export async function rewriteTaskIds(raw: string, seal: Seal): Promise<string> {
  const text = await rewriteOwnIds(raw, seal)
  const tasks = readMember(text, ['tasks'])
  if (!tasks?.startsWith('[')) return text
  const items = await Promise.all(elementsOf(tasks).map((item) => rewriteOwnIds(cut(tasks, item), seal)))
  return editMember(text, ['tasks'], () => `[${items.join(',')}]`)
}

/** The same where only the task that something belongs to is the upstream's; any other id in it is its caller's. */
export const rewriteRelatedTask = (raw: string, seal: Seal): Promise<string> => rewriteId(raw, RELATED, seal)

async function rewriteOwnIds(raw: string, seal: Seal): Promise<string> {
  let text = raw
  for (const path of [['taskId'], ['task', 'taskId'], RELATED]) text = await rewriteId(text, path, seal)
  return text
}

async function rewriteId(text: string, path: readonly string[], seal: Seal): Promise<string> {
  const taskId = readText(text, path)
  if (taskId === undefined) return text
  const sealed = JSON.stringify(await seal(taskId))
  return editMember(text, path, () => sealed)
}
