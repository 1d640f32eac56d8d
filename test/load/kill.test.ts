/**
 * A gateway on a machine of one's own is killed in the middle of its work, again and again, and started on the same
 * data: what was registered is whole, a circuit that was open still is, and what was answered is written down.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Gateway } from '../support/gateway.ts'
import { startStack, type Stack } from '../support/stack.ts'
import { startUpstream, type Upstream } from '../support/upstream.ts'

const KILLS = 50
const CALLS = 200
const AT_ONCE = 20
const CALL_MS = 150
/** The gateway is killed within this: in the middle of the calls, or soon after the last one. */
const SPAN_MS = { from: 200, to: 3_500 }
/** What was answered so long before the end may not be lost. */
const KEPT_AFTER_MS = 1_000
const WRITTEN_WITHIN_MS = 15_000
const SEED = Number(process.env['KILL_SEED'] ?? Date.now() % 2 ** 31)
const OPEN = -31523

let stack: Stack
let upstreams: Upstream[]
let dataDirectory: string

beforeAll(async () => {
  dataDirectory = await mkdtemp(join(tmpdir(), 'switchyard-kill-'))
  stack = await startStack()
  upstreams = await Promise.all([
    startUpstream(),
    startUpstream({ era: 'legacy', stateful: true }),
    startUpstream(),
  ])
})
afterAll(async () => {
  await stack.close()
  await Promise.all(upstreams.map((upstream) => upstream.stop()))
  await rm(dataDirectory, { recursive: true, force: true })
})

const start = (): Promise<Gateway> => stack.gateway({}, { dataDirectory })

async function registerAll(gateway: Gateway): Promise<void> {
  const [modern, legacy, broken] = upstreams.map(({ url }) => url)
  const circuitBreaker = { failureThreshold: 3, recoveryTimeout: 3_600_000, halfOpenMaxCalls: 1 }
  expect((await gateway.register('modern', modern ?? '')).status).toBe(201)
  expect((await gateway.register('legacy', legacy ?? '')).status).toBe(201)
  expect((await gateway.register('broken', broken ?? '', { circuitBreaker })).status).toBe(201)
}

const callBroken = async (gateway: Gateway): Promise<number> => {
  const { body } = await gateway.modern('tools/call', { name: 'broken__echo', arguments: {} })
  return body.error.code
}

const circuitOf = async (gateway: Gateway, service: string): Promise<string> =>
  (await gateway.manage('GET', `/mcp/services/${service}/metrics`)).body.breaker.state

/** Everything that is registered, and everything that is offered. */
async function readRegistry(gateway: Gateway): Promise<unknown> {
  const [services, tools] = await Promise.all([
    gateway.manage('GET', '/api/v1/servers'),
    gateway.rpc('tools/list'),
  ])
  return { services: services.body, tools: tools.body }
}

/** The correlation id of each call that was answered, with the moment of its answer; and what was answered wrongly. */
type Answered = { readonly at: Map<string, number>; readonly wrong: unknown[] }

/** Calls until all are made or the gateway is gone. */
async function callAll(gateway: Gateway): Promise<Answered> {
  const answered: Answered = { at: new Map(), wrong: [] }
  let left = CALLS
  const caller = async (): Promise<void> => {
    while (left-- > 0) {
      const id = crypto.randomUUID()
      const name = left % 2 === 0 ? 'modern__slow' : 'legacy__slow'
      const params = { name, arguments: { ms: CALL_MS, steps: 1 } }
      const { body } = await gateway.modern('tools/call', params, { headers: { 'x-correlation-id': id } })
      answered.at.set(id, performance.now())
      if (body?.result?.content[0].text !== 'done') answered.wrong.push(body)
    }
  }
  await Promise.allSettled(Array.from({ length: AT_ONCE }, caller))
  return answered
}

/** The same for the same seed. */
function* chances(seed: number): Generator<number, never, void> {
  for (let state = seed; ;) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    yield state / 2 ** 32
  }
}

async function missingFrom(correlationIds: readonly string[]): Promise<string[]> {
  const rows = await stack.query('select correlation_id from tool_usage')
  const written = new Set(rows.map(({ correlation_id }) => correlation_id))
  return correlationIds.filter((id) => !written.has(id))
}

it(
  `${KILLS} kills in the middle of ${CALLS} calls lose no service, no open circuit and no record older than 1 s`,
  { timeout: 900_000 },
  async () => {
    let gateway = await start()
    await registerAll(gateway)
    await upstreams[2]?.stop()
    await expect.poll(() => callBroken(gateway)).toBe(OPEN)
    const registry = await readRegistry(gateway)
    const chance = chances(SEED)
    let answered = 0
    let old = 0
    let slowestMs = 0
    for (let kill = 1; kill <= KILLS; kill++) {
      const about = `kill ${kill}, KILL_SEED=${SEED}`
      const calling = callAll(gateway)
      await sleep(SPAN_MS.from + chance.next().value * (SPAN_MS.to - SPAN_MS.from))
      const killedAt = performance.now()
      await stack.kill(gateway)
      const { at: answeredAt, wrong } = await calling
      expect(wrong, about).toEqual([])

      gateway = await start()
      const startedAt = performance.now()
      expect(await readRegistry(gateway), about).toEqual(registry)
      expect(await circuitOf(gateway, 'broken'), about).toBe('open')
      expect(await callBroken(gateway), about).toBe(OPEN)
      const due = [...answeredAt].filter(([, at]) => at < killedAt - KEPT_AFTER_MS).map(([id]) => id)
      await expect.poll(() => missingFrom(due), { timeout: WRITTEN_WITHIN_MS, message: about }).toEqual([])
      answered += answeredAt.size
      old += due.length
      slowestMs = Math.max(slowestMs, performance.now() - startedAt)
    }
    expect(old).toBeGreaterThan(KILLS)
    process.stdout.write(
      `${KILLS} kills, ${answered} calls answered before, all ${old} older than 1 s written down, ` +
        `${(slowestMs / 1_000).toFixed(1)} s after a restart at the latest (KILL_SEED=${SEED})\n`,
    )
  },
)
