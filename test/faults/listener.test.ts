/** What a listener leaves behind that goes away at the worst moment: in the middle of a look at the registry. */
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { type Cell, type Matrix, startMatrix } from '../support/cell.ts'
import { eventually } from '../support/gateway.ts'
import { modernCall } from '../support/modern-call.ts'

let matrix: Matrix
beforeAll(async () => {
  matrix = await startMatrix()
})
afterEach(() => {
  matrix.stack.cache.fault = undefined
})
afterAll(() => matrix.close())

/** Opens a listening stream and cuts it as soon as it looks at the registry, which takes long. */
async function listenAndLeave(): Promise<void> {
  const { cache } = matrix.stack
  const goingAway = new AbortController()
  const rest = { notifications: { toolsListChanged: true } }
  const listen = modernCall('', { method: 'subscriptions/listen', rest })
  const response = await fetch(`${matrix.url}/mcp`, { ...listen, signal: goingAway.signal })
  await response.body?.getReader().read()
  const before = cache.requests
  await eventually(3_000, () => expect(cache.requests).toBeGreaterThan(before))
  goingAway.abort()
}

async function healthAndLeave(): Promise<void> {
  const { cache } = matrix.stack
  const goingAway = new AbortController()
  const before = cache.requests
  const health = fetch(`${matrix.url}/health`, { signal: goingAway.signal }).catch(() => undefined)
  await eventually(3_000, () => expect(cache.requests).toBeGreaterThan(before))
  goingAway.abort()
  await health
}

it.each([
  ['a listener', listenAndLeave],
  ['a health check', healthAndLeave],
])('a look that %s began and left goes on for the others', { timeout: 60_000 }, async (who, leave) => {
  const cell: Cell = { client: 'modern', upstream: 'modern', at: 'all' }
  matrix.stack.cache.fault = { delayMs: 400 }
  for (let round = 0; round < 3; round++) {
    await leave()
    const client = await matrix.connect(cell)
    await client.listen()
    matrix.upstream(cell).add('tool', `after-${who.replaceAll(' ', '-')}-${round}`)
    await eventually(6_000, () =>
      expect(client.heard.map(({ method }) => method)).toEqual(['notifications/tools/list_changed']),
    )
    await matrix.disconnect()
  }
})
