/** The fake upstream is honest: the official clients of both SDK lines are content with it. */
import {
  Client as ModernClient,
  StreamableHTTPClientTransport as ModernTransport,
} from '@modelcontextprotocol/client'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { ListRootsRequestSchema, ToolListChangedNotificationSchema } from '@modelcontextprotocol/sdk/types.js'
import { afterEach, describe, expect, it } from 'vitest'
import { eventually } from './gateway.ts'
import { startUpstream, type Upstream, type UpstreamOptions } from './upstream.ts'

const INFO = { name: 'test', version: '1' }
const BUILT_IN = ['echo', 'raw', 'slow', 'fail', 'rpc-error', 'big', 'headers', 'ask']
const ROOTS = { roots: [{ uri: 'file:///a', name: 'a' }] }
const running: { close(): Promise<unknown> }[] = []

afterEach(async () => {
  for (const part of running.splice(0).toReversed()) await part.close()
})

async function start(options: UpstreamOptions): Promise<Upstream> {
  const upstream = await startUpstream(options)
  running.push({ close: () => upstream.stop() })
  return upstream
}

async function connectLegacy(upstream: Upstream): Promise<{ client: Client; end: () => Promise<void> }> {
  const client = new Client(INFO, { capabilities: { roots: {} } })
  client.setRequestHandler(ListRootsRequestSchema, () => ROOTS)
  const transport = new StreamableHTTPClientTransport(new URL(upstream.url))
  await client.connect(transport as Parameters<Client['connect']>[0])
  running.push(client)
  return { client, end: () => transport.terminateSession() }
}

async function connectModern(upstream: Upstream, mode: 'auto' | { pin: string } = { pin: '2026-07-28' }) {
  const client = new ModernClient(INFO, { capabilities: { roots: {} }, versionNegotiation: { mode } })
  client.setRequestHandler('roots/list', () => ROOTS)
  await client.connect(new ModernTransport(new URL(upstream.url)))
  running.push(client)
  return client
}

const MANY: UpstreamOptions = {
  pageSize: 3,
  tools: [{ name: 'own', inputSchema: { type: 'object' } }],
  resources: [{ uri: 'test://a', name: 'a' }],
  templates: [{ uriTemplate: 'test://{x}', name: 'x' }],
  prompts: [{ name: 'greet' }],
}

/** What each client, of either line, must be able to do. */
async function useAll(client: Caller): Promise<void> {
  expect(await client.names()).toEqual([...BUILT_IN, 'own'])
  expect(await client.say('echo', { text: 'hällo' })).toBe('hällo')
  expect(await client.say('own', {})).toBe('own')
  expect((await client.say('big', { bytes: 100_000 })).length).toBe(100_000)
  const progress: number[] = []
  expect(await client.say('slow', { ms: 15 }, (at) => progress.push(at))).toBe('done')
  expect(progress).toEqual([1, 2, 3])
  await expect(client.say('rpc-error', { message: 'no' })).rejects.toMatchObject({ code: -32000 })
  await expect(client.say('nope', {})).rejects.toMatchObject({ code: -32602 })
  expect(JSON.parse(await client.say('ask', { method: 'roots/list' }))).toMatchObject(ROOTS)
}

type Caller = {
  names(): Promise<string[]>
  say(name: string, given: Record<string, unknown>, onProgress?: (at: number) => void): Promise<string>
}

const textOf = (result: any): string => result.content[0].text

const legacyCaller = (client: Client): Caller => ({
  async names() {
    const names: string[] = []
    let cursor: string | undefined
    do {
      const page = await client.listTools(cursor === undefined ? {} : { cursor })
      names.push(...page.tools.map(({ name }) => name))
      cursor = page.nextCursor
    } while (cursor !== undefined)
    return names
  },
  async say(name, given, onProgress) {
    const options = onProgress && { onprogress: ({ progress }: { progress: number }) => onProgress(progress) }
    return textOf(await client.callTool({ name, arguments: given }, undefined, options))
  },
})

const modernCaller = (client: ModernClient): Caller => ({
  async names() {
    return (await client.listTools()).tools.map(({ name }) => name)
  },
  async say(name, given, onProgress) {
    const options = onProgress && { onprogress: ({ progress }: { progress: number }) => onProgress(progress) }
    return textOf(await client.callTool({ name, arguments: given }, options))
  },
})

const ANSWERS = ['json', 'chunked', 'sse'] as const
const FRAMINGS = [
  { lineEnd: '\r\n' },
  { splitData: true, comments: true, notifications: 2 },
  { lineEnd: '\r\n', splitData: true, comments: true },
] as const

describe('legacy, with the client of SDK v1', () => {
  it.each(ANSWERS.flatMap((answers) => [false, true].map((stateful) => ({ answers, stateful }))))(
    'serves everything: %o',
    async (options) => {
      const upstream = await start({ era: 'legacy', ...options, ...MANY })
      const { client, end } = await connectLegacy(upstream)
      expect(client.getServerVersion()?.name).toBe('fake-upstream')
      await useAll(legacyCaller(client))
      await client.ping()
      expect((await client.listResources()).resources).toHaveLength(1)
      expect((await client.listResourceTemplates()).resourceTemplates).toHaveLength(1)
      expect((await client.readResource({ uri: 'test://a' })).contents).toHaveLength(1)
      expect((await client.getPrompt({ name: 'greet' })).messages).toHaveLength(1)
      expect((await client.callTool({ name: 'fail' })).isError).toBe(true)
      expect(upstream.sessions).toBe(options.stateful ? 1 : 0)
      await end()
      expect(upstream.sessions).toBe(0)
    },
  )

  it.each(FRAMINGS)('frames a stream otherwise: %o', async (framing) => {
    const upstream = await start({ era: 'legacy', answers: 'sse', framing, ...MANY })
    const { client } = await connectLegacy(upstream)
    await useAll(legacyCaller(client))
  })

  it('gives an empty cursor, which is a valid one', async () => {
    const upstream = await start({ era: 'legacy', pageSize: 5, hasEmptyCursor: true })
    const { client } = await connectLegacy(upstream)
    const first = await client.listTools()
    expect(first.nextCursor).toBe('')
    expect((await client.listTools({ cursor: '' })).tools).toHaveLength(BUILT_IN.length - 5)
    await expect(client.listTools({ cursor: 'garbage' })).rejects.toMatchObject({ code: -32602 })
  })

  it('announces on the listening stream', async () => {
    const upstream = await start({ era: 'legacy', stateful: true, listens: true })
    const { client } = await connectLegacy(upstream)
    let heard = 0
    client.setNotificationHandler(ToolListChangedNotificationSchema, () => void heard++)
    await eventually(2_000, () => expect(upstream.open).toBe(1))
    upstream.announce('notifications/tools/list_changed')
    await eventually(2_000, () => expect(heard).toBe(1))
  })
})

describe('modern, with the client of SDK v2', () => {
  it.each(ANSWERS.flatMap((answers) => (['modern', 'both'] as const).map((era) => ({ answers, era }))))(
    'serves everything: %o',
    async (options) => {
      const upstream = await start({ ...options, ...MANY })
      const client = await connectModern(upstream)
      await useAll(modernCaller(client))
      expect((await client.listResources()).resources).toHaveLength(1)
      expect((await client.readResource({ uri: 'test://a' })).contents).toHaveLength(1)
      expect((await client.getPrompt({ name: 'greet' })).messages).toHaveLength(1)
      expect(upstream.calls('initialize')).toHaveLength(0)
    },
  )

  it.each(FRAMINGS)('frames a stream otherwise: %o', async (framing) => {
    const upstream = await start({ era: 'modern', answers: 'sse', framing, ...MANY })
    await useAll(modernCaller(await connectModern(upstream)))
  })

  it.each([
    ['modern', false, '2026-07-28'],
    ['both', false, '2026-07-28'],
    ['legacy', false, '2025-11-25'],
    ['legacy', true, '2025-11-25'],
  ] as const)('is recognised by a client that probes: %s, sessions %s', async (era, stateful, version) => {
    const upstream = await start({ era, stateful, ...MANY })
    const client = await connectModern(upstream, 'auto')
    expect(client.getNegotiatedProtocolVersion()).toBe(version)
    await useAll(modernCaller(client))
  })

  it('announces to a subscription', async () => {
    const upstream = await start({ era: 'modern' })
    const client = await connectModern(upstream)
    let heard = 0
    client.setNotificationHandler('notifications/tools/list_changed', () => void heard++)
    await client.listen({ toolsListChanged: true })
    upstream.announce('notifications/tools/list_changed')
    await eventually(2_000, () => expect(heard).toBe(1))
  })
})
