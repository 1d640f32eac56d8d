import { expect, it } from 'vitest'
import { rewriteTaskIds } from '../../../src/mcp/task.ts'

const seal = async (taskId: string): Promise<string> => `sealed ${taskId}`

it('seals the ids of tasks, and of those in a list, and leaves every other byte', async () => {
  const raw =
    '{ "taskId":"a","task":{"taskId":"b", "n":1.50},"tasks":[{"taskId":"c"},{"taskId":1},7,"taskId"],"x":{"taskId":"d"}}'
  expect(await rewriteTaskIds(raw, seal)).toBe(
    '{ "taskId":"sealed a","task":{"taskId":"sealed b", "n":1.50},"tasks":[{"taskId":"sealed c"},{"taskId":1},7,"taskId"],"x":{"taskId":"d"}}',
  )
})
it('S49 does not look for tasks within tasks', { timeout: 3_000 }, async () => {
  const depth = 20_000
  const raw = `${'{"tasks":['.repeat(depth)}{"taskId":"a"}${']}'.repeat(depth)}`
  expect(await rewriteTaskIds(raw, seal)).toBe(raw)
})
