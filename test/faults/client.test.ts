/** Callers that are slow to say what they want. */
import { request } from 'node:http'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Gateway, TOKEN } from '../support/gateway.ts'
import { startStack, type Stack } from '../support/stack.ts'

let stack: Stack
let gateway: Gateway
beforeAll(async () => {
  stack = await startStack()
  gateway = await stack.gateway()
})
afterAll(() => stack.close())

/** Ten bytes a second, for as long as they are taken. */
function drip(headers: Record<string, string>): Promise<{ status: number; text: string; tookMs: number }> {
  const startedAt = performance.now()
  return new Promise((resolve, reject) => {
    const sending = request(`${gateway.url}/mcp`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${TOKEN}`,
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        ...headers,
      },
    })
    const timer = setInterval(() => sending.write(' '), 100)
    sending.on('error', reject)
    sending.on('close', () => clearInterval(timer))
    sending.on('response', (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (piece: string) => (text += piece))
      response.on('end', () => {
        clearInterval(timer)
        sending.destroy()
        resolve({ status: response.statusCode ?? 0, text, tookMs: performance.now() - startedAt })
      })
    })
  })
}

it.each<[string, Record<string, string>]>([
  ['in pieces', { 'transfer-encoding': 'chunked' }],
  ['of declared length', { 'content-length': '500000' }],
])(
  'F41 a body %s that takes longer than 10 s is refused',
  async (_, headers) => {
    const { status, text, tookMs } = await drip(headers)
    expect(status).toBe(408)
    expect(JSON.parse(text)).toMatchObject({ error: { code: -31408, message: 'Request timed out' } })
    expect(tookMs).toBeGreaterThan(9_000)
    expect(tookMs).toBeLessThan(15_000)
  },
  20_000,
)
