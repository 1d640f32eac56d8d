/** Everything that the gateway depends on is away, but it has a snapshot. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { expectEcho, send } from '../support/base.ts'
import type { Gateway } from '../support/gateway.ts'
import { startStack, type Stack } from '../support/stack.ts'
import { startUpstream, type Upstream } from '../support/upstream.ts'

let stack: Stack
let gateway: Gateway
let upstream: Upstream
beforeAll(async () => {
  stack = await startStack()
  const directory = await mkdtemp(join(tmpdir(), 'objects-'))
  gateway = await stack.gateway({}, { dataDirectory: directory })
  upstream = await startUpstream({ era: 'legacy' })
  expect((await gateway.register('fixture', upstream.url)).status).toBe(201)
  await rm(directory, { recursive: true })
})
afterAll(async () => {
  await stack.close()
  await upstream.stop()
})

it.each([
  ['are cut off', { destroy: true }],
  ['hang', { hang: true }],
])(
  'F72 calls of callers who are known flow on while Neon, Upstash and Durable Objects %s',
  { timeout: 30_000 },
  async (_, fault) => {
    stack.database.fault = fault
    stack.cache.fault = fault
    const end = Date.now() + 8_000
    const waits: number[] = []
    while (Date.now() < end) {
      const askedAt = performance.now()
      expectEcho(await send(gateway))
      expect((await gateway.rpc('tools/list')).body.result.tools.length).toBeGreaterThan(0)
      waits.push(performance.now() - askedAt)
      expect((await send(gateway, { headers: { authorization: 'Bearer wrong' } })).status).toBe(401)
    }
    // A request may wait for a look, half a second at most, while the last good one is old.
    expect(Math.max(...waits)).toBeLessThan(1_500)
    stack.database.giveBack()
    stack.cache.giveBack()
    expectEcho(await send(gateway))
  },
)
