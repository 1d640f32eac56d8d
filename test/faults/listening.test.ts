/** A caller that listens to many services, most of which send no headers before they have something to say. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { headersOf, META } from '../support/base.ts'
import { eventually, type Gateway } from '../support/gateway.ts'
import { startStack, type Stack } from '../support/stack.ts'
import { startUpstream, type Upstream } from '../support/upstream.ts'

const SILENT = 7
const SILENT_FOR_MS = 2_000

let stack: Stack
let gateway: Gateway
let upstreams: readonly Upstream[]
beforeAll(async () => {
  stack = await startStack()
  gateway = await stack.gateway()
  upstreams = await Promise.all(
    Array.from({ length: SILENT + 1 }, (_, at) =>
      startUpstream({ era: 'modern', resources: [{ uri: uriOf(at), name: 'one' }] }),
    ),
  )
  for (const [at, { url, dial }] of upstreams.entries()) {
    expect((await gateway.register(`s${at}`, url)).status).toBe(201)
    if (at < SILENT) dial.set({ is: 'silent', for: 'subscriptions/listen' })
  }
})
afterAll(async () => {
  await stack.close()
  await Promise.all(upstreams.map((upstream) => upstream.stop()))
})

const uriOf = (at: number): string => `test://of-${at}`
const listening = (): number => upstreams.filter((one) => one.calls('subscriptions/listen').length > 0).length

describe('a subscription to resources of eight services', () => {
  it('F31 opens a few at a time, and hears the last although the others are silent', async () => {
    const over = new AbortController()
    const notifications = { resourceSubscriptions: upstreams.map((_, at) => uriOf(at)) }
    const method = 'subscriptions/listen'
    const begunAt = performance.now()
    const response = await fetch(`${gateway.url}/mcp`, {
      method: 'POST',
      headers: headersOf({ headers: { 'mcp-method': method, 'mcp-name': undefined } }),
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: { notifications, _meta: META } }),
      signal: over.signal,
    })
    let heard = ''
    const read = async (): Promise<void> => {
      for await (const piece of response.body?.pipeThrough(new TextDecoderStream()) ?? []) heard += piece
    }
    read().catch(() => undefined)
    await eventually(SILENT_FOR_MS / 2, () => expect(listening()).toBe(4))
    const uri = uriOf(SILENT)
    await eventually(10_000, () => {
      upstreams.at(-1)?.announce('notifications/resources/updated', { uri })
      expect(heard).toContain(`"uri":"${uri}"`)
    })
    over.abort()
    expect(performance.now() - begunAt).toBeGreaterThan(SILENT_FOR_MS * 0.9)
  })
})
