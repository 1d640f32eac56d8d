/** An upstream of the older transport names the address for what it is sent. It may not lead the gateway elsewhere. */
import { createServer } from 'node:http'
import { once } from 'node:events'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Gateway, STAYS_CLOSED } from '../support/gateway.ts'
import { eventText, type Older, startOlder } from '../support/older.ts'
import { startStack, type Stack } from '../support/stack.ts'

const SECRET = 'a-credential-of-the-service'

let stack: Stack
let gateway: Gateway
let older: Older
let reached = 0
const elsewhere = createServer((_, response) => {
  reached++
  response.writeHead(202).end()
})

beforeAll(async () => {
  ;[stack, older] = await Promise.all([startStack(), startOlder()])
  gateway = await stack.gateway()
  elsewhere.listen(0, '127.0.0.1')
  await once(elsewhere, 'listening')
  const auth = { type: 'bearer', token: SECRET }
  const rest = { transport: 'sse', auth, ...STAYS_CLOSED }
  expect((await gateway.register('older', older.url, rest)).status).toBe(201)
})
afterAll(async () => {
  elsewhere.close()
  await stack.close()
  await older.close()
})

const port = (): string => {
  const address = elsewhere.address()
  return String(typeof address === 'object' && address ? address.port : 0)
}

describe('S01 S07 an endpoint', () => {
  it.each<[string, () => string]>([
    ['at another port', () => `http://127.0.0.1:${port()}/message`],
    ['at another host', () => `http://localhost:${new URL(older.url).port}/message`],
    ['without a scheme', () => `//127.0.0.1:${port()}/message`],
    ['without a scheme, by backslashes', () => `\\\\127.0.0.1:${port()}\\message`],
    ['of another scheme', () => older.url.replace('http:', 'https:')],
    ['at a metadata service', () => 'http://169.254.169.254/latest/meta-data'],
    ['with a user name', () => older.url.replace('//', '//me@')],
    ['with a user name that looks like the host', () => `${new URL(older.url).origin}@127.0.0.1:${port()}/`],
    ['that is a script', () => 'javascript:alert(1)'],
    ['that is data', () => 'data:text/plain,x'],
    ['that is no URL', () => 'http://['],
    ['that is longer than any address', () => `/message?${'x'.repeat(2_048)}`],
  ])('%s is refused, and nothing is sent there', async (_, named) => {
    const before = older.received.length
    older.fail({ open: ({ response }) => void response.write(eventText(named(), 'endpoint')) })
    const { body } = await gateway.rpc('tools/call', { name: 'echo' }, { path: '/mcp/older' })
    expect(body.error.code).toBe(-31502)
    expect(body.error.message).toMatch(/endpoint that is not at its own origin/)
    expect(JSON.stringify(body)).not.toMatch(/127\.0\.0\.1|169\.254|javascript/)
    const registered = await gateway.register('another', older.url, { transport: 'sse' })
    expect([registered.status, registered.body.reason]).toEqual([502, 'not_mcp'])
    expect([reached, older.received.length]).toEqual([0, before])
  })
})
