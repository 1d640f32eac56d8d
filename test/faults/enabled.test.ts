/** What an operator decides about a service holds, whatever is being written about it at the same time. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { eventually, type Gateway } from '../support/gateway.ts'
import { startStack, type Stack } from '../support/stack.ts'
import { startUpstream, type Upstream } from '../support/upstream.ts'

let stack: Stack
let gateway: Gateway
let upstream: Upstream
beforeAll(async () => {
  ;[stack, upstream] = await Promise.all([startStack(), startUpstream({ era: 'legacy' })])
  gateway = await stack.gateway()
  expect((await gateway.register('slow', upstream.url)).status).toBe(201)
})
afterAll(async () => {
  await stack.close()
  await upstream.stop()
})

const path = (act = '') => `/api/v1/servers/slow${act}`

it.each([
  { act: 'disconnect', after: { isEnabled: false, status: 'disconnected' } },
  { act: 'connect', after: { isEnabled: true, status: 'connected' } },
])('$act holds though the service was being read when it came', async ({ act, after }) => {
  const asked = upstream.calls('tools/list').length
  const end = upstream.dial.set({ is: 'delay', ms: 1_000, for: 'tools/list' })
  const change = gateway.manage('PUT', path(), { timeoutMs: act.length * 1_000 })
  await eventually(3_000, () => expect(upstream.calls('tools/list').length).toBe(asked + 1))
  expect((await gateway.manage('POST', path(`/${act}`))).body).toMatchObject(after)
  const changed = { ...after, timeoutMs: act.length * 1_000 }
  expect((await change).body).toMatchObject(changed)
  end()
  expect((await gateway.manage('GET', path())).body).toMatchObject(changed)
})
