/** An upstream whose certificate is not accepted is not spoken to at all. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openYard, type Yard } from '../support/base.ts'
import { eventually, type Gateway } from '../support/gateway.ts'
import { startUntrusted, type Untrusted } from '../support/untrusted.ts'

let yard: Yard
let untrusted: Untrusted
let gateway: Gateway
let log = ''
beforeAll(async () => {
  yard = await openYard()
  untrusted = await startUntrusted()
  // A certificate that was good when the service was registered.
  await yard.stack.query(`update services set url = '${untrusted.url}'`)
  await yard.stack.query('update registry_versions set version = version + 1')
  gateway = await yard.stack.gateway({}, { sink: (text) => (log += text) })
  const url = async () => (await gateway.manage('GET', '/api/v1/servers/fixture')).body.url
  await eventually(5_000, async () => expect(await url()).toBe(untrusted.url))
})
afterAll(async () => {
  await yard.close()
  await untrusted.close()
})

it('F02 a call is told that the service cannot be reached, and nothing is sent, in clear text neither', async () => {
  const before = yard.upstream.requests.length
  const { status, body } = await gateway.rpc('tools/call', { name: 'echo' })
  expect([status, body.error.code, body.error.data]).toEqual([200, -31501, { upstream: 'fixture' }])
  expect(body.error.message).toContain('the certificate was not accepted')
  expect(untrusted.seen.connections).toBeGreaterThan(0)
  expect(untrusted.seen.requests).toBe(0)
  expect(yard.upstream.requests.length).toBe(before)
  await expect.poll(() => log).toMatch(/"call_failed".*"fault":\{"is":"tls"/)
})

it('F02 it cannot be registered', async () => {
  const { status, body } = await gateway.register('another', untrusted.url)
  expect([status, body.code, body.reason]).toEqual([502, 'discovery_failed', 'tls'])
  expect(untrusted.seen.requests).toBe(0)
})
