/** Upstreams and callers that are slow on purpose, and what they cost everybody else. */
import { connect } from 'node:net'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { HEADERS, openYard, type Yard } from '../support/base.ts'
import { eventually } from '../support/gateway.ts'
import { startUpstream, type Upstream } from '../support/upstream.ts'

const TIMEOUT_MS = 2_000

let yard: Yard
let healthy: Upstream
beforeAll(async () => {
  yard = await openYard({ era: 'legacy' })
  healthy = await startUpstream({ era: 'legacy' })
  expect((await yard.gateway.register('healthy', healthy.url)).status).toBe(201)
  await yard.gateway.manage('PUT', '/api/v1/servers/fixture', { timeoutMs: TIMEOUT_MS })
})
afterAll(async () => {
  await yard.close()
  await healthy.stop()
})
afterEach(() => yard.upstream.dial.clear())

const call = (service: string) =>
  yard.gateway.rpc('tools/call', { name: 'echo', arguments: { text: 'x' } }, { path: `/mcp/${service}` })

describe('an upstream that sends a byte now and then', () => {
  it('F05 is cut off when its time is up, and others are answered meanwhile', async () => {
    yard.upstream.dial.set({ is: 'drip', for: 'tools/call', everyMs: 100 })
    const slow = Array.from({ length: 30 }, () => call('fixture'))
    let isAnySlowThere = false
    Promise.race(slow).then(
      () => (isAnySlowThere = true),
      () => undefined,
    )
    await eventually(2_000, () => expect(yard.upstream.open).toBe(30))
    for (let at = 0; at < 30; at++) expect((await call('healthy')).body.result.content[0].text).toBe('x')
    expect(isAnySlowThere).toBe(false)
    for (const { body } of await Promise.all(slow)) {
      expect(body.error).toMatchObject({ code: -31504, data: { upstream: 'fixture', afterMs: TIMEOUT_MS } })
    }
    await eventually(2_000, () => expect(yard.upstream.open).toBe(0))
  })
})

describe('a caller that sends its request a few bytes at a time', () => {
  it('F41 is told after 10 s that it took too long', async () => {
    const { hostname, port } = new URL(yard.gateway.url)
    const socket = connect(Number(port), hostname).setEncoding('utf8')
    let answer = ''
    socket.on('data', (text: string) => (answer += text)).on('error', () => undefined)
    const lines = Object.entries({ host: 'localhost', ...HEADERS, 'content-length': '100000' })
    const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')
    const begunAt = performance.now()
    socket.write(`POST /mcp HTTP/1.1\r\n${head}\r\n`)
    const dripping = setInterval(() => socket.write('          '), 1_000)
    await eventually(15_000, () => expect(answer).toContain('"code":-31408'))
    clearInterval(dripping)
    socket.destroy()
    expect(answer).toMatch(/^HTTP\/1\.1 408 /)
    expect(performance.now() - begunAt).toBeGreaterThan(9_500)
  })
})
