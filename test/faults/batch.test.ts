/** Many calls in one request: a few at a time, each with its own time, and one dead upstream among them. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startStack, type Stack } from '../support/stack.ts'
import type { Gateway } from '../support/gateway.ts'
import { startUpstream, type Upstream } from '../support/upstream.ts'

const SERVICES = 24
const SLOTS = 4
const TIMEOUT_MS = 1_500
const BATCH = { 'mcp-protocol-version': '2025-03-26' }

let stack: Stack
let gateway: Gateway
let upstreams: readonly Upstream[]
beforeAll(async () => {
  stack = await startStack()
  gateway = await stack.gateway()
  upstreams = await Promise.all(Array.from({ length: SERVICES }, () => startUpstream({ era: 'legacy' })))
  for (const [at, { url, dial }] of upstreams.entries()) {
    expect((await gateway.register(`s${at}`, url, { timeoutMs: TIMEOUT_MS })).status).toBe(201)
    dial.set({ ...(at === 0 ? { is: 'silent' } : { is: 'delay', ms: 300 }), for: 'tools/call' })
  }
})
afterAll(async () => {
  await stack.close()
  await Promise.all(upstreams.map((upstream) => upstream.stop()))
})

const echo = (at: number) => ({
  jsonrpc: '2.0',
  id: at,
  method: 'tools/call',
  params: { name: `s${at}__echo`, arguments: { text: `of ${at}` } },
})

it('F31 a batch of 24 calls to 24 services, one of them dead: 23 answers, never more than four at once', async () => {
  let most = 0
  const looking = setInterval(() => {
    most = Math.max(
      most,
      upstreams.reduce((sum, { open }) => sum + open, 0),
    )
  }, 5)
  const begunAt = performance.now()
  const batch = JSON.stringify(upstreams.map((_, at) => echo(at)))
  const { body } = await gateway.post(batch, { path: '/mcp?names=prefixed', headers: BATCH })
  clearInterval(looking)
  expect(performance.now() - begunAt).toBeLessThan(10_000)
  expect(most).toBe(SLOTS)
  const [dead, ...alive] = body
  expect(dead).toMatchObject({ id: 0, error: { code: -31504, data: { upstream: 's0' } } })
  expect(alive.map(({ result }: any) => result.content[0].text)).toEqual(
    Array.from({ length: SERVICES - 1 }, (_, at) => `of ${at + 1}`),
  )
})

it('F67 a batch whose answers do not fit into memory together is told which were dropped', async () => {
  for (const { dial } of upstreams) {
    dial.clear()
    dial.set({ is: 'huge_json', bytes: 4_000_000, for: 'tools/call' })
  }
  const batch = JSON.stringify(upstreams.map((_, at) => echo(at)))
  for (let round = 0; round < 3; round++) {
    const { body } = await gateway.post(batch, { path: '/mcp?names=prefixed', headers: BATCH })
    expect(body.map(({ id }: any) => id)).toEqual(upstreams.map((_, at) => at))
    const whole = body.filter(({ result }: any) => result?.content[0].text.length === 4_000_000)
    const dropped = body.filter(({ error }: any) => error?.code === -31503)
    expect(whole.length).toBeGreaterThan(0)
    expect(dropped.length).toBeGreaterThan(0)
    expect(whole.length + dropped.length).toBe(SERVICES)
  }
})
