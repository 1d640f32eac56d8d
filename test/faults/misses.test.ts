/** Many who miss the same thing at once cost the database one question. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { eventually } from '../support/gateway.ts'
import { startStack, type Stack } from '../support/stack.ts'

let stack: Stack
beforeAll(async () => {
  stack = await startStack()
})
afterAll(() => stack.close())

it('F65 two hundred callers with nothing to answer from cost one look: a query for the version, one for the image', async () => {
  stack.cache.takeAway()
  stack.database.takeAway()
  const cold = await stack.gateway()
  await stack.quiet()
  stack.database.giveBack()
  stack.database.requests = 0
  // The truth is looked at every 2 s at most: until then all are told to come again.
  await eventually(10_000, async () => {
    const answers = await Promise.all(Array.from({ length: 200 }, () => cold.rpc('tools/list')))
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200))
  })
  expect(stack.database.requests).toBe(2)
  stack.cache.giveBack()
})

it('F65 two hundred questions for its health cost one query', async () => {
  const gateway = await stack.gateway()
  await eventually(5_000, async () => expect((await gateway.fetch('/health')).body.status).toBe('ok'))
  await stack.quiet()
  stack.database.requests = 0
  const begunAt = performance.now()
  const answers = await Promise.all(Array.from({ length: 200 }, () => gateway.fetch('/health')))
  const seconds = (performance.now() - begunAt) / 1_000
  expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200))
  expect(stack.database.requests).toBeLessThanOrEqual(Math.ceil(seconds) + 1)
})
