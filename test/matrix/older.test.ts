/** Clients of both eras and an upstream on the older transport (2024-11-05, "HTTP with SSE"), all on the official SDKs. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually, type Gateway, TOKEN } from '../support/gateway.ts'
import { type Relay, startRelay } from '../support/relay.ts'
import { ANSWERS, connectLegacy, connectModern, type SdkClient } from '../support/sdk-client.ts'
import { startOlderServer } from '../support/sdk-older.ts'
import { ASK_KINDS, ASKS, uriOf } from '../support/sdk-upstream.ts'
import { startStack, type Stack } from '../support/stack.ts'

let stack: Stack
let gateway: Gateway
let relay: Relay
let upstream: Awaited<ReturnType<typeof startOlderServer>>
const clients: SdkClient[] = []

beforeAll(async () => {
  ;[stack, upstream] = await Promise.all([startStack(), startOlderServer()])
  gateway = await stack.gateway()
  relay = await startRelay(gateway.url)
  const registered = await gateway.register('older', upstream.url, { transport: 'sse' })
  expect([registered.status, registered.body.transport]).toEqual([201, 'sse'])
})
afterAll(async () => {
  await Promise.all(clients.map((client) => client.close()))
  await relay.close()
  await stack.close()
  await upstream.close()
})

const CELLS = [
  ['legacy', '/mcp'],
  ['legacy', '/mcp/older'],
  ['modern', '/mcp'],
  ['modern', '/mcp/older'],
] as const

describe.each(CELLS)('a %s client at %s', (era, path) => {
  let client: SdkClient
  const connect = async (): Promise<SdkClient> => {
    const connected = await (era === 'legacy' ? connectLegacy : connectModern)(`${relay.url}${path}`, TOKEN)
    clients.push(connected)
    return connected
  }
  const textOf = (result: any): string => result.content[0].text
  beforeAll(async () => {
    client = await connect()
  })

  it('sees tools, prompts, resources and templates', async () => {
    const named = (items: any[]): string[] => items.map(({ name }) => name)
    expect(named(await client.tools())).toEqual(expect.arrayContaining(['add', 'ask', 'hang', 'progress']))
    expect(named(await client.prompts())).toEqual(['greet', 'interview'])
    expect(named(await client.resources())).toEqual(['plain', 'bytes', 'interview'])
    expect(named(await client.templates())).toEqual(['of'])
  })

  it('calls, reads, gets and completes', async () => {
    const sum = await client.call('add', { a: 1, b: 2 })
    expect(sum).toMatchObject({ structuredContent: { sum: 3 } })
    expect((await client.read(uriOf('legacy', 'plain'))).contents[0].text).toBe('a plain note')
    expect((await client.read(uriOf('legacy', 'of/alpha'))).contents[0].text).toBe('about alpha')
    expect((await client.prompt('greet', { word: 'you' })).messages[0].content.text).toBe('Hello you')
    expect(await client.complete({ type: 'ref/prompt', name: 'greet' }, 'be')).toEqual(['beta'])
    expect(await client.call('fail')).toMatchObject({ isError: true })
  })

  it('calls at the same time, each answered with its own', async () => {
    const numbers = Array.from({ length: 20 }, (_, at) => at)
    const sums = await Promise.all(numbers.map((a) => client.call('add', { a, b: 100 })))
    expect(sums.map(({ structuredContent }) => structuredContent.sum)).toEqual(numbers.map((a) => a + 100))
  })

  it('hears of progress before the result', async () => {
    const told: any[] = []
    await client.call('progress', { steps: 3 }, { onprogress: (step) => void told.push(step) })
    expect(told.map(({ progress }) => progress)).toEqual([1, 2, 3])
  })

  it('hears log messages of the level that it set', async () => {
    const own = await connect()
    await own.call('log', {}, { logLevel: 'warning' })
    expect(own.heard.map(({ params }) => params.level)).toEqual(['warning', 'error'])
    await own.call('log', {}, { logLevel: 'error' })
    expect(own.heard).toHaveLength(3)
  })

  it.each(ASK_KINDS)('is asked for %s, and its answer arrives', async (kind) => {
    const before = client.asked.length
    const [entered, done] = [upstream.ledger.entered('ask'), upstream.ledger.done('ask')]
    expect(JSON.parse(textOf(await client.call('ask', { kinds: [kind] })))).toEqual([ANSWERS[kind]])
    expect(client.asked.slice(before)).toMatchObject([ASKS[kind]])
    expect([upstream.ledger.entered('ask') - entered, upstream.ledger.done('ask') - done]).toEqual([1, 1])
  })

  it('is asked several things, one after the other and at once', async () => {
    const kinds = ['roots', 'form', 'sampling'] as const
    const answers = kinds.map((kind) => ANSWERS[kind])
    expect(JSON.parse(textOf(await client.call('ask', { kinds })))).toEqual(answers)
    expect(JSON.parse(textOf(await client.call('ask-together', { kinds })))).toEqual(answers)
  })

  it('is asked by prompts and resources too', async () => {
    expect(JSON.parse((await client.prompt('interview')).messages[0].content.text)).toEqual([ANSWERS.form])
    const { contents } = await client.read(uriOf('legacy', 'interview'))
    expect(JSON.parse(contents[0].text)).toEqual([ANSWERS.form])
  })

  it('F39 lets go of a call within a second, and the upstream learns of it', async () => {
    const [entered, cancelled] = [upstream.ledger.entered('hang'), upstream.cancelled()]
    const over = new AbortController()
    const called = client.call('hang', {}, { signal: over.signal }).catch(String)
    await eventually(5_000, () => expect(upstream.ledger.entered('hang')).toBe(entered + 1))
    over.abort('enough')
    expect(await called).toContain('enough')
    await eventually(1_000, () => expect(upstream.cancelled()).toBe(cancelled + 1))
  })

  it('hears of a resource that it subscribed to, until it does no more', async () => {
    const own = await connect()
    const uri = uriOf('legacy', 'plain')
    const updates = (): number =>
      own.heard.filter(({ method }) => method === 'notifications/resources/updated').length
    await own.listen([uri])
    await eventually(9_000, () => {
      upstream.update(uri)
      expect(updates()).toBeGreaterThan(0)
    })
    await own.unlisten(uri)
    await own.close()
  })

  it('hears of a new tool', async () => {
    const own = await connect()
    await own.listen()
    const name = `new-${era}-${path.length}`
    const heard = (): boolean => own.heard.some(({ method }) => method === 'notifications/tools/list_changed')
    await eventually(3_000, () => expect(upstream.streams()).toBeGreaterThan(0))
    upstream.add('tool', name)
    await eventually(9_000, () => expect(heard()).toBe(true))
    expect((await own.tools()).map((tool) => tool.name)).toContain(name)
    expect(textOf(await own.call(name))).toBe(name)
  })
})

it('leaves no stream open behind a call', async () => {
  await Promise.all(clients.map((client) => client.close()))
  clients.length = 0
  // The one on which the gateway hears of changes stays for a while.
  await eventually(5_000, () => expect(upstream.streams()).toBeLessThanOrEqual(1))
})
