/** Clients of the older transport (2024-11-05, "HTTP with SSE") are told where to go. */
import { SSEClientTransport } from '@modelcontextprotocol/sdk/client/sse.js'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { API_KEY, type Gateway } from '../support/gateway.ts'
import { startStack, type Stack } from '../support/stack.ts'

let stack: Stack
let gateway: Gateway
beforeAll(async () => {
  stack = await startStack()
  gateway = await stack.gateway()
})
afterAll(() => stack.close())

const PATHS = ['/sse', '/message', '/messages', '/mcp/sse', '/mcp/message']

describe.each(PATHS)('%s', (path) => {
  it.each(['GET', 'POST'])('answers %s with 410 and advice, whoever asks', async (method) => {
    for (const headers of [{}, { 'x-api-key': API_KEY }, { 'x-api-key': 'wrong' }]) {
      const { status, body } = await gateway.fetch(path, { method, headers })
      expect(status).toBe(410)
      expect(body).toEqual({
        error: 'gone',
        error_description: expect.stringMatching(/streamable HTTP.*\/mcp/),
      })
    }
  })

  it('is nothing to any other method', async () => {
    expect((await gateway.fetch(path, { method: 'PATCH' })).status).not.toBe(410)
  })
})

it('is understood by a client of the SDK, which gives up', async () => {
  const transport = new SSEClientTransport(new URL(`${gateway.url}/sse`))
  await expect(transport.start()).rejects.toMatchObject({ code: 410 })
})

it('takes no name from services, which cannot be called so', async () => {
  for (const name of ['sse', 'message']) {
    const { status, body } = await gateway.register(name, 'http://127.0.0.1:1/mcp')
    expect([status, body.code]).toEqual([400, 'invalid_body'])
  }
})
