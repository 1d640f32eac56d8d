/** How long a legacy upstream may be silent in a call that it answers by a stream. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Gateway, TOKEN } from '../support/gateway.ts'
import { ANSWERS, connectLegacy, connectModern } from '../support/sdk-client.ts'
import { startLegacyServer } from '../support/sdk-legacy.ts'
import { startOlderServer } from '../support/sdk-older.ts'
import type { SdkUpstream } from '../support/sdk-upstream.ts'
import { startStack, type Stack } from '../support/stack.ts'

const TIMEOUT_MS = 1_000

let stack: Stack
let gateway: Gateway
let upstreams: readonly SdkUpstream[]
beforeAll(async () => {
  stack = await startStack()
  gateway = await stack.gateway()
  const [newer, older] = await Promise.all([startLegacyServer(), startOlderServer()])
  upstreams = [newer, older]
  for (const [name, { url }] of Object.entries({ newer, older }))
    expect((await gateway.register(name, url, { timeoutMs: TIMEOUT_MS })).status).toBe(201)
})
afterAll(async () => {
  await stack.close()
  await Promise.all(upstreams.map((upstream) => upstream.close()))
})

const later = async <T>(ms: number, value: T): Promise<T> => {
  await new Promise((resolve) => setTimeout(resolve, ms))
  return value
}

describe.each([
  ['legacy', 'newer'],
  ['legacy', 'older'],
  ['modern', 'newer'],
  ['modern', 'older'],
] as const)('a %s client of an upstream on the %s transport', (era, name) => {
  const connect = era === 'legacy' ? connectLegacy : connectModern

  it('F04 hears of the timeout of the service when the upstream says nothing for so long', async () => {
    const client = await connect(`${gateway.url}/mcp/${name}`, TOKEN)
    const refused: unknown = await client.call('wait', { ms: 5_000, text: 'x' }).catch((error) => error)
    expect(refused).toMatchObject({ code: -31504, data: { upstream: name, afterMs: TIMEOUT_MS } })
    await client.close()
  })

  it('may think longer than that about what it is asked', async () => {
    const respond = () => later(TIMEOUT_MS * 2, ANSWERS.form)
    const client = await connect(`${gateway.url}/mcp/${name}`, TOKEN, { respond })
    const { content } = await client.call('ask', { kinds: ['form', 'form'] })
    expect(JSON.parse(content[0].text)).toEqual([ANSWERS.form, ANSWERS.form])
    await client.close()
  })
})
