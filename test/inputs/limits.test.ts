/** Limits, thresholds and times outside their range: a 400 that names the field and the range, and nothing is stored. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Gateway } from '../support/gateway.ts'
import { startStack, type Stack } from '../support/stack.ts'
import { startUpstream, type Upstream } from '../support/upstream.ts'

const RANGES: readonly (readonly [field: string, min: number, max: number])[] = [
  ['timeoutMs', 1, 600_000],
  ['rateLimit.requestsPerMinute', 1, 1_000_000],
  ['rateLimit.burstLimit', 1, 100_000],
  ['circuitBreaker.failureThreshold', 1, 1_000],
  ['circuitBreaker.recoveryTimeout', 1, 3_600_000],
  ['circuitBreaker.halfOpenMaxCalls', 1, 100],
  ['circuitBreaker.slowCallMs', 1, 600_000],
  ['retry.maxAttempts', 1, 10],
  ['retry.initialDelay', 1, 60_000],
  ['retry.maxDelay', 1, 600_000],
  ['instances.0.weight', 1, 100],
  ['cacheTtlSeconds', 0, 86_400],
]

let stack: Stack
let gateway: Gateway
let upstream: Upstream
beforeAll(async () => {
  stack = await startStack()
  gateway = await stack.gateway()
  upstream = await startUpstream({ era: 'legacy' })
  expect((await gateway.register('limited', upstream.url)).status).toBe(201)
})
afterAll(async () => {
  await stack.close()
  await upstream.stop()
})

const whole = () => ({
  timeoutMs: 1_000,
  rateLimit: { requestsPerMinute: 100, burstLimit: 20 },
  circuitBreaker: { failureThreshold: 5, recoveryTimeout: 30_000, halfOpenMaxCalls: 3, slowCallMs: 1_000 },
  retry: { maxAttempts: 3, backoffStrategy: 'linear', initialDelay: 10, maxDelay: 100, jitter: true },
  instances: [{ url: upstream.url, weight: 1 }],
  cacheTtlSeconds: 0,
})

/** Valid settings with this value in this place. */
function settingsWith(field: string, value: unknown): object {
  const settings: Record<string, any> = whole()
  const path = field.split('.')
  const last = path.pop() ?? ''
  const place = path.reduce((part, key) => part[key], settings)
  place[last] = value
  return settings
}
const show = async () => (await gateway.manage('GET', '/api/v1/servers/limited')).body

describe.each(RANGES)('%s', (field, min, max) => {
  const refused = async (value: unknown): Promise<void> => {
    const before = await show()
    const settings = settingsWith(field, value)
    const answers = [
      await gateway.register('never', upstream.url, settings),
      await gateway.manage('PUT', '/api/v1/servers/limited', settings),
    ]
    for (const { status, body } of answers) {
      expect([status, body.code]).toEqual([400, 'invalid_body'])
      expect(body.errors).toEqual([{ field, message: `must be a whole number from ${min} to ${max}` }])
    }
    expect(await show()).toEqual(before)
    expect((await gateway.manage('GET', '/api/v1/servers/never')).status).toBe(404)
  }
  it.each([min - 1, max + 1, -1, 1.5, 1e21, '5', true, [1]])('%j is refused', (value) => refused(value))
  it.each([min, max])('%j is taken', async (value) => {
    const { status } = await gateway.manage('PUT', '/api/v1/servers/limited', settingsWith(field, value))
    expect(status).toBe(200)
  })
})

describe('the names of strategies', () => {
  it.each([
    ['loadBalancer', 'least'],
    ['retry.backoffStrategy', 'fibonacci'],
    ['retry.jitter', 'yes'],
    ['trusted', 1],
  ])('%s: %j is refused', async (field, value) => {
    const { status, body } = await gateway.register('never', upstream.url, settingsWith(field, value))
    expect([status, body.errors.map((error: { field: string }) => error.field)]).toEqual([400, [field]])
  })
})
