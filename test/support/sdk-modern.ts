/** An upstream on SDK v2: modern era only, a server of its own for each request. */
import { setTimeout as sleep } from 'node:timers/promises'
import { toNodeHandler } from '@modelcontextprotocol/node'
import {
  completable,
  createMcpHandler,
  inputRequired,
  type InputRequiredSpec,
  McpServer,
  ResourceTemplate,
  type ServerContext,
} from '@modelcontextprotocol/server'
import * as z from 'zod'
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

/** What the servers of all requests share. */
type Shared = {
  readonly ledger: Ledger
  readonly added: { readonly kind: Kind; readonly name: string }[]
  cancelled: number
}

export async function startModernServer(): Promise<SdkUpstream> {
  const shared: Shared = { ledger: new Ledger(), added: [], cancelled: 0 }
  const handler = createMcpHandler(() => createServer(shared), { legacy: 'reject' })
  const serve = toNodeHandler(handler)
  const { url, close } = await listenOn(
    (request, response) =>
      void serve(Object.assign(request, { method: request.method ?? '', url: request.url ?? '' }), response),
  )
  const announce = {
    tool: () => handler.notify.toolsChanged(),
    prompt: () => handler.notify.promptsChanged(),
    resource: () => handler.notify.resourcesChanged(),
  }
  return {
    era: 'modern',
    url,
    ledger: shared.ledger,
    cancelled: () => shared.cancelled,
    add: (kind, name) => {
      shared.added.push({ kind, name })
      announce[kind]()
    },
    update: (uri) => handler.notify.resourceUpdated(uri),
    close: async () => {
      await handler.close()
      await close()
    },
  }
}

function createServer(shared: Shared): McpServer {
  const server = new McpServer(
    { name: 'modern-sdk', version: '1' },
    { capabilities: { logging: {}, resources: { subscribe: true, listChanged: true } } },
  )
  offerTools(server, shared)
  offerResources(server, shared)
  offerPrompts(server, shared)
  for (const { kind, name } of shared.added) add(server, kind, name)
  return server
}

const say = (text: string) => ({ content: [{ type: 'text' as const, text }] })

function offerTools(server: McpServer, shared: Shared): void {
  const { ledger } = shared
  const inputSchema = z.object({ a: z.number(), b: z.number() })
  const outputSchema = z.object({ sum: z.number() })
  server.registerTool('add', { title: 'Add', inputSchema, outputSchema }, ({ a, b }) => {
    ledger.finish('add')
    return { ...say(String(a + b)), structuredContent: { sum: a + b } }
  })
  server.registerTool('fail', {}, () => ({ ...say('it failed'), isError: true }))
  const waiting = z.object({ ms: z.number(), text: z.string() })
  server.registerTool('wait', { inputSchema: waiting }, async ({ ms, text }) => {
    await sleep(ms)
    ledger.finish('wait')
    return say(text)
  })
  server.registerTool(
    'progress',
    { inputSchema: z.object({ steps: z.number() }) },
    async ({ steps }, { mcpReq }) => {
      const progressToken = mcpReq._meta?.progressToken
      if (progressToken === undefined) return say('done')
      for (let progress = 1; progress <= steps; progress++) {
        const params = { progressToken, progress, total: steps, message: `step ${progress}` }
        await mcpReq.notify({ method: 'notifications/progress', params })
      }
      return say('done')
    },
  )
  server.registerTool('log', {}, async ({ mcpReq }) => {
    for (const level of ['debug', 'warning', 'error'] as const)
      await mcpReq.log(level, { said: level }, 'engine')
    return say('logged')
  })
  const kinds = z.object({ kinds: z.array(z.enum(ASK_KINDS)) })
  server.registerTool('ask', { inputSchema: kinds }, (given, context) => {
    ledger.enter('ask')
    const asked = ask(given.kinds, context)
    if ('needs' in asked) return inputRequired(asked.needs)
    ledger.finish('ask')
    return say(JSON.stringify(asked.answers))
  })
  server.registerTool('ask-together', { inputSchema: kinds }, (given, { mcpReq }) => {
    ledger.enter('ask-together')
    const { inputResponses } = mcpReq
    if (!inputResponses) {
      const requests = given.kinds.map((kind, at) => [`part-${at}`, ASKS[kind]])
      return inputRequired({ inputRequests: Object.fromEntries(requests) })
    }
    ledger.finish('ask-together')
    return say(JSON.stringify(given.kinds.map((_, at) => inputResponses[`part-${at}`])))
  })
  server.registerTool('hang', {}, async ({ mcpReq: { signal } }) => {
    ledger.enter('hang')
    await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
    shared.cancelled++
    return say('let go')
  })
}

type Asked = { readonly needs: InputRequiredSpec } | { readonly answers: readonly unknown[] }

/** One question a round; the answers so far travel in the state. */
function ask(kinds: readonly Ask[], { mcpReq }: ServerContext): Asked {
  const state = mcpReq.requestState<string>()
  const before: unknown[] = state === undefined ? [] : JSON.parse(state)
  const answer = mcpReq.inputResponses?.['answer']
  const answers = answer === undefined ? before : [...before, answer]
  const kind = kinds[answers.length]
  if (kind === undefined) return { answers }
  const inputRequests = { answer: ASKS[kind] } as unknown as NonNullable<InputRequiredSpec['inputRequests']>
  return { needs: { inputRequests, requestState: JSON.stringify(answers) } }
}

function offerResources(server: McpServer, { ledger }: Shared): void {
  server.registerResource('plain', uriOf('modern', 'plain'), { mimeType: 'text/plain' }, ({ href }) => ({
    contents: [{ uri: href, mimeType: 'text/plain', text: 'a plain note' }],
  }))
  server.registerResource('bytes', uriOf('modern', 'bytes'), {}, ({ href }) => ({
    contents: [{ uri: href, mimeType: 'application/octet-stream', blob: 'AAEC' }],
  }))
  server.registerResource('interview', uriOf('modern', 'interview'), {}, ({ href }, context) => {
    ledger.enter('interview')
    const asked = ask(['form'], context)
    if ('needs' in asked) return inputRequired(asked.needs)
    ledger.finish('interview')
    return { contents: [{ uri: href, text: JSON.stringify(asked.answers) }] }
  })
  const complete = { word: (value: string) => WORDS.filter((word) => word.startsWith(value)) }
  const template = new ResourceTemplate(uriOf('modern', 'of/{word}'), { list: undefined, complete })
  server.registerResource('of', template, {}, ({ href }, { word }) => ({
    contents: [{ uri: href, text: `about ${String(word)}` }],
  }))
}

function offerPrompts(server: McpServer, { ledger }: Shared): void {
  const word = completable(z.string(), (value) => WORDS.filter((each) => each.startsWith(value)))
  server.registerPrompt('greet', { title: 'Greet', argsSchema: z.object({ word }) }, (given) => ({
    messages: [{ role: 'user', content: { type: 'text', text: `Hello ${given.word}` } }],
  }))
  server.registerPrompt('interview', {}, (context) => {
    ledger.enter('interview-prompt')
    const asked = ask(['form'], context)
    if ('needs' in asked) return inputRequired(asked.needs)
    ledger.finish('interview-prompt')
    const text = JSON.stringify(asked.answers)
    return { messages: [{ role: 'user', content: { type: 'text', text } }] }
  })
}

function add(server: McpServer, kind: Kind, name: string): void {
  switch (kind) {
    case 'tool':
      return void server.registerTool(name, {}, () => say(name))
    case 'prompt':
      return void server.registerPrompt(name, {}, () => ({
        messages: [{ role: 'user', content: { type: 'text', text: name } }],
      }))
    case 'resource':
      return void server.registerResource(name, uriOf('modern', name), {}, ({ href }) => ({
        contents: [{ uri: href, text: name }],
      }))
  }
}
