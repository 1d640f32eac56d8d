/** An upstream on SDK v1: legacy era, a session and a server of its own for each client. */
import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { completable } from '@modelcontextprotocol/sdk/server/completable.js'
import { McpServer, ResourceTemplate } from '@modelcontextprotocol/sdk/server/mcp.js'
import {
  type EventStore,
  StreamableHTTPServerTransport,
} from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import type { RequestHandlerExtra } from '@modelcontextprotocol/sdk/shared/protocol.js'
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js'
import {
  ElicitResultSchema,
  ResultSchema,
  type ServerNotification,
  type ServerRequest,
  SetLevelRequestSchema,
  SubscribeRequestSchema,
  UnsubscribeRequestSchema,
  UrlElicitationRequiredError,
} from '@modelcontextprotocol/sdk/types.js'
import * as z from 'zod'
import { severityOf } from '../../src/protocol/method.ts'
import {
  type Ask,
  ASK_KINDS,
  ASKS,
  type Kind,
  Ledger,
  listenOn,
  type SdkUpstream,
  uriOf,
  WORDS,
} from './sdk-upstream.ts'

type Extra = RequestHandlerExtra<ServerRequest, ServerNotification>

/** What all sessions share. */
export type Shared = {
  readonly ledger: Ledger
  readonly added: { readonly kind: Kind; readonly name: string }[]
  cancelled: number
}

/** The server of one session, and what its client subscribed to. */
export type Served = { readonly server: McpServer; readonly uris: Set<string> }

type Session = Served & { readonly transport: StreamableHTTPServerTransport }

export type LegacyOptions = {
  /** Keeps what each session said, so that its clients can let go of a stream and take it up again. */
  readonly events?: () => EventStore
}

export async function startLegacyServer(options: LegacyOptions = {}): Promise<SdkUpstream> {
  const shared = newShared()
  const sessions = new Map<string, Session>()
  const { url, close } = await listenOn(
    (request, response) => void serve(request, response, shared, sessions, options),
  )
  return { ...upstreamOf(shared, sessions), url, close }
}

export const newShared = (): Shared => ({ ledger: new Ledger(), added: [], cancelled: 0 })

/** How tests see and move the servers of these sessions. */
export const upstreamOf = (
  shared: Shared,
  sessions: ReadonlyMap<string, Served>,
): Omit<SdkUpstream, 'url' | 'close'> => ({
  era: 'legacy',
  ledger: shared.ledger,
  cancelled: () => shared.cancelled,
  add: (kind, name) => {
    shared.added.push({ kind, name })
    for (const { server } of sessions.values()) add(server, kind, name)
  },
  update: (uri) => {
    for (const { server, uris } of sessions.values()) {
      if (uris.has(uri)) void server.server.sendResourceUpdated({ uri })
    }
  },
})

async function serve(
  request: IncomingMessage,
  response: ServerResponse,
  shared: Shared,
  sessions: Map<string, Session>,
  options: LegacyOptions,
): Promise<void> {
  const id = request.headers['mcp-session-id']
  const known = sessions.get(String(id))
  if (known) return await known.transport.handleRequest(request, response)
  if (id !== undefined) {
    response.writeHead(404, { 'content-type': 'application/json' })
    return void response.end(
      '{"jsonrpc":"2.0","error":{"code":-32001,"message":"Session not found"},"id":null}',
    )
  }
  const session = openSession(shared, sessions, options)
  await session.server.connect(session.transport as Transport)
  await session.transport.handleRequest(request, response)
}

function openSession(shared: Shared, sessions: Map<string, Session>, { events }: LegacyOptions): Session {
  const transport = new StreamableHTTPServerTransport({
    sessionIdGenerator: randomUUID,
    ...(events && { eventStore: events() }),
    onsessioninitialized: (id) => void sessions.set(id, session),
    onsessionclosed: (id) => void sessions.delete(id),
  })
  const session = { ...createServer(shared), transport }
  return session
}

export function createServer(shared: Shared): Served {
  const server = new McpServer(
    { name: 'legacy-sdk', version: '1' },
    { capabilities: { logging: {}, resources: { subscribe: true } } },
  )
  const served = { server, uris: new Set<string>() }
  offerTools(server, shared)
  offerResources(served, shared)
  offerPrompts(server, shared)
  for (const { kind, name } of shared.added) add(server, kind, name)
  return served
}

const say = (text: string) => ({ content: [{ type: 'text' as const, text }] })

function offerTools(server: McpServer, shared: Shared): void {
  const { ledger } = shared
  let level = 'debug'
  server.server.setRequestHandler(SetLevelRequestSchema, ({ params }) => {
    level = params.level
    return {}
  })
  const pair = { a: z.number(), b: z.number() }
  const sum = { sum: z.number() }
  server.registerTool('add', { title: 'Add', inputSchema: pair, outputSchema: sum }, ({ a, b }) => {
    ledger.finish('add')
    return { ...say(String(a + b)), structuredContent: { sum: a + b } }
  })
  server.registerTool('fail', {}, () => ({ ...say('it failed'), isError: true }))
  server.registerTool('wait', { inputSchema: { ms: z.number(), text: z.string() } }, async ({ ms, text }) => {
    await sleep(ms)
    ledger.finish('wait')
    return say(text)
  })
  server.registerTool('progress', { inputSchema: { steps: z.number() } }, async ({ steps }, extra) => {
    const progressToken = extra._meta?.progressToken
    if (progressToken === undefined) return say('done')
    for (let progress = 1; progress <= steps; progress++) {
      const params = { progressToken, progress, total: steps, message: `step ${progress}` }
      await extra.sendNotification({ method: 'notifications/progress', params })
    }
    return say('done')
  })
  server.registerTool('log', {}, async (extra) => {
    for (const each of ['debug', 'warning', 'error'] as const) {
      if (severityOf(each) < severityOf(level)) continue
      const params = { level: each, logger: 'engine', data: { said: each } }
      await extra.sendNotification({ method: 'notifications/message', params })
    }
    return say('logged')
  })
  server.registerTool(
    'ask',
    { inputSchema: { kinds: z.array(z.enum(ASK_KINDS)) } },
    async ({ kinds }, extra) => {
      ledger.enter('ask')
      const answers = await askAll(kinds, extra)
      ledger.finish('ask')
      return say(JSON.stringify(answers))
    },
  )
  server.registerTool(
    'ask-together',
    { inputSchema: { kinds: z.array(z.enum(ASK_KINDS)) } },
    async ({ kinds }, extra) => {
      ledger.enter('ask-together')
      const answers = await Promise.all(kinds.map((kind) => ask(kind, extra)))
      ledger.finish('ask-together')
      return say(JSON.stringify(answers))
    },
  )
  server.registerTool('ask-aside', { inputSchema: { who: z.string() } }, async ({ who }) => {
    ledger.enter('ask-aside')
    const answer = await askAside(who)
    ledger.finish('ask-aside')
    return say(JSON.stringify(answer.content))
  })
  server.registerTool('ask-then-aside', { inputSchema: { who: z.string() } }, async ({ who }, extra) => {
    ledger.enter('ask-then-aside')
    const answers = [await ask('form', extra), await askAside(who)]
    ledger.finish('ask-then-aside')
    return say(JSON.stringify(answers))
  })
  // Belongs to no request, as far as its transport is told.
  async function askAside(who: string) {
    const { method, params } = ASKS.form
    const asked = { method, params: { ...params, message: `Which colour, ${who}?` } }
    return await server.server.request(asked as unknown as ServerRequest, ElicitResultSchema)
  }
  server.registerTool('url-first', {}, () => {
    ledger.enter('url-first')
    const { message, url } = ASKS.url.params
    throw new UrlElicitationRequiredError([{ mode: 'url', message, url, elicitationId: 'pay-1' }])
  })
  server.registerTool('hang', {}, async ({ signal }) => {
    ledger.enter('hang')
    await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
    shared.cancelled++
    return say('let go')
  })
}

async function askAll(kinds: readonly Ask[], extra: Extra): Promise<unknown[]> {
  const answers: unknown[] = []
  for (const kind of kinds) answers.push(await ask(kind, extra))
  return answers
}

const ask = (kind: Ask, extra: Extra): Promise<unknown> => {
  const { method, params } = ASKS[kind]
  const own = kind === 'url' ? { ...params, elicitationId: 'pay-1' } : params
  return extra.sendRequest({ method, params: own } as ServerRequest, ResultSchema)
}

function offerResources({ server, uris }: Served, { ledger }: Shared): void {
  server.registerResource('plain', uriOf('legacy', 'plain'), { mimeType: 'text/plain' }, ({ href }) => ({
    contents: [{ uri: href, mimeType: 'text/plain', text: 'a plain note' }],
  }))
  server.registerResource('bytes', uriOf('legacy', 'bytes'), {}, ({ href }) => ({
    contents: [{ uri: href, mimeType: 'application/octet-stream', blob: 'AAEC' }],
  }))
  server.registerResource('interview', uriOf('legacy', 'interview'), {}, async ({ href }, extra) => {
    ledger.enter('interview')
    const text = JSON.stringify(await askAll(['form'], extra))
    ledger.finish('interview')
    return { contents: [{ uri: href, text }] }
  })
  const complete = { word: (value: string) => WORDS.filter((word) => word.startsWith(value)) }
  const template = new ResourceTemplate(uriOf('legacy', 'of/{word}'), { list: undefined, complete })
  server.registerResource('of', template, {}, ({ href }, { word }) => ({
    contents: [{ uri: href, text: `about ${String(word)}` }],
  }))
  server.server.setRequestHandler(SubscribeRequestSchema, ({ params }) => {
    uris.add(params.uri)
    return {}
  })
  server.server.setRequestHandler(UnsubscribeRequestSchema, ({ params }) => {
    uris.delete(params.uri)
    return {}
  })
}

function offerPrompts(server: McpServer, { ledger }: Shared): void {
  const argsSchema = {
    word: completable(z.string(), (value) => WORDS.filter((word) => word.startsWith(value))),
  }
  server.registerPrompt('greet', { title: 'Greet', argsSchema }, ({ word }) => ({
    messages: [{ role: 'user', content: { type: 'text', text: `Hello ${word}` } }],
  }))
  server.registerPrompt('interview', { argsSchema: {} }, async (_, extra) => {
    ledger.enter('interview-prompt')
    const text = JSON.stringify(await askAll(['form'], extra))
    ledger.finish('interview-prompt')
    return { messages: [{ role: 'user', content: { type: 'text', text } }] }
  })
}

/** An addition that its server announces by itself. */
function add(server: McpServer, kind: Kind, name: string): void {
  switch (kind) {
    case 'tool':
      return void server.registerTool(name, {}, () => say(name))
    case 'prompt':
      return void server.registerPrompt(name, {}, () => ({
        messages: [{ role: 'user', content: { type: 'text', text: name } }],
      }))
    case 'resource':
      return void server.registerResource(name, uriOf('legacy', name), {}, ({ href }) => ({
        contents: [{ uri: href, text: name }],
      }))
  }
}
