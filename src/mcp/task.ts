/**
 * Tasks (2025-11-25, "Tasks", experimental; the extension of 2026-07-28): a task id that leaves through `/mcp`
 * is sealed with its service, so that every later request about it finds its way back without any memory.
 */
import { editMember, readMember, readText } from '../protocol/edit.ts'
import { cut, elementsOf } from '../protocol/json.ts'

const RELATED = ['_meta', 'io.modelcontextprotocol/related-task', 'taskId'] as const

/** The result or the parameters of a notification, with the ids of tasks replaced. */
export async function rewriteTaskIds(
  raw: string,
  seal: (taskId: string) => Promise<string>,
): Promise<string> {
  let text = raw
  for (const path of [['taskId'], ['task', 'taskId'], RELATED]) {
    const taskId = readText(text, path)
    if (taskId === undefined) continue
    const sealed = JSON.stringify(await seal(taskId))
    text = editMember(text, path, () => sealed)
  }
  const tasks = readMember(text, ['tasks'])
  if (!tasks?.startsWith('[')) return text
  const items = await Promise.all(elementsOf(tasks).map((item) => rewriteTaskIds(cut(tasks, item), seal)))
  return editMember(text, ['tasks'], () => `[${items.join(',')}]`)
}
