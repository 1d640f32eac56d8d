/** Clients on the official SDKs, one of each era, behind the same few verbs. */
import {
  Client as ModernClient,
  StreamableHTTPClientTransport as ModernTransport,
} from '@modelcontextprotocol/client'
import { Client as LegacyClient } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport as LegacyTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js'
import {
  CreateMessageRequestSchema,
  ElicitRequestSchema,
  ListRootsRequestSchema,
} from '@modelcontextprotocol/sdk/types.js'
import { META, MODERN_VERSION } from '../../src/protocol/version.ts'

export type Said = { readonly method: string; readonly params?: any }

export type ClientOptions = {
  /** What it says it can do; everything by default. */
  readonly capabilities?: object
  /** The result of a request that it was sent; the usual ones by default. */
  readonly respond?: (asked: Said) => unknown
}

export type CallOptions = {
  readonly onprogress?: (progress: any) => void
  readonly signal?: AbortSignal
  readonly logLevel?: string
}

export type SdkClient = {
  /** Every notification so far, those of progress aside. */
  readonly heard: readonly Said[]
  /** Every request that it was sent. */
  readonly asked: readonly Said[]
  tools(): Promise<any[]>
  prompts(): Promise<any[]>
  resources(): Promise<any[]>
  templates(): Promise<any[]>
  call(name: string, given?: object, options?: CallOptions): Promise<any>
  read(uri: string): Promise<any>
  prompt(name: string, given?: Record<string, string>): Promise<any>
  complete(ref: object, value: string): Promise<readonly string[]>
  capabilities(): any
  /** Hears of changed lists from here on, and of changes of these resources. */
  listen(uris?: readonly string[]): Promise<void>
  /** Hears no more of this resource. */
  unlisten(uri: string): Promise<void>
  close(): Promise<void>
}

export const ALL_CAPABILITIES = {
  elicitation: { form: {}, url: {} },
  sampling: {},
  roots: { listChanged: true },
}

/** What a willing user, model and workspace answer. */
export const ANSWERS = {
  form: { action: 'accept', content: { colour: 'teal' } },
  url: { action: 'accept' },
  sampling: { role: 'assistant', content: { type: 'text', text: 'word' }, model: 'a-model' },
  roots: { roots: [{ uri: 'file:///home/ada', name: 'home' }] },
} as const

export function usualAnswer({ method, params }: Said): unknown {
  if (method === 'sampling/createMessage') return ANSWERS.sampling
  if (method === 'roots/list') return ANSWERS.roots
  return params?.mode === 'url' ? ANSWERS.url : ANSWERS.form
}

const WHO = { name: 'test', version: '1' }
/** A caller of the tests never waits longer. */
const TIMEOUT_MS = 15_000

export async function connectLegacy(
  url: string,
  token: string,
  options: ClientOptions = {},
): Promise<SdkClient> {
  const { capabilities = ALL_CAPABILITIES, respond = usualAnswer } = options
  const heard: Said[] = []
  const asked: Said[] = []
  const client = new LegacyClient(WHO, { capabilities })
  const take = (request: Said): any => {
    asked.push({ method: request.method, params: request.params })
    return respond(request)
  }
  if ('elicitation' in capabilities) client.setRequestHandler(ElicitRequestSchema, take)
  if ('sampling' in capabilities) client.setRequestHandler(CreateMessageRequestSchema, take)
  if ('roots' in capabilities) client.setRequestHandler(ListRootsRequestSchema, take)
  client.fallbackNotificationHandler = async (notification) => void heard.push(notification)
  const opened = Promise.withResolvers<void>()
  const transport = new LegacyTransport(new URL(url), {
    requestInit: { headers: { authorization: `Bearer ${token}` } },
    fetch: async (at, init) => {
      const response = await fetch(at, init)
      if (init?.method === 'GET') opened.resolve()
      return response
    },
  })
  await client.connect(transport as Transport)
  const limits = { timeout: TIMEOUT_MS }
  return {
    heard,
    asked,
    tools: async () => (await client.listTools()).tools,
    prompts: async () => (await client.listPrompts()).prompts,
    resources: async () => (await client.listResources()).resources,
    templates: async () => (await client.listResourceTemplates()).resourceTemplates,
    call: async (name, given = {}, { logLevel, ...rest } = {}) => {
      if (logLevel !== undefined) await client.setLoggingLevel(logLevel as 'debug')
      return await client.callTool({ name, arguments: { ...given } }, undefined, { ...limits, ...rest })
    },
    read: (uri) => client.readResource({ uri }, limits),
    prompt: (name, given = {}) => client.getPrompt({ name, arguments: given }, limits),
    complete: async (ref, value) =>
      (await client.complete({ ref: ref as never, argument: { name: 'word', value } })).completion.values,
    capabilities: () => client.getServerCapabilities(),
    // It opens its stream by itself when its session begins.
    listen: async (uris = []) => {
      await opened.promise
      for (const uri of uris) await client.subscribeResource({ uri })
    },
    unlisten: async (uri) => void (await client.unsubscribeResource({ uri })),
    close: async () => {
      await transport.terminateSession()
      await client.close()
    },
  }
}

export async function connectModern(
  url: string,
  token: string,
  options: ClientOptions = {},
): Promise<SdkClient> {
  const { capabilities = ALL_CAPABILITIES, respond = usualAnswer } = options
  const heard: Said[] = []
  const asked: Said[] = []
  const pin = { versionNegotiation: { mode: { pin: MODERN_VERSION } } }
  const client = new ModernClient(WHO, { capabilities, ...pin })
  const take = (request: Said): any => {
    asked.push({ method: request.method, params: request.params })
    return respond(request)
  }
  if ('elicitation' in capabilities) client.setRequestHandler('elicitation/create', take)
  if ('sampling' in capabilities) client.setRequestHandler('sampling/createMessage', take)
  if ('roots' in capabilities) client.setRequestHandler('roots/list', take)
  client.fallbackNotificationHandler = async (notification) => void heard.push(notification)
  await client.connect(
    new ModernTransport(new URL(url), { requestInit: { headers: { authorization: `Bearer ${token}` } } }),
  )
  const limits = { timeout: TIMEOUT_MS }
  const fresh = { ...limits, cacheMode: 'refresh' as const }
  let subscription: Awaited<ReturnType<typeof client.listen>> | undefined
  return {
    heard,
    asked,
    tools: async () => (await client.listTools(undefined, fresh)).tools,
    prompts: async () => (await client.listPrompts(undefined, fresh)).prompts,
    resources: async () => (await client.listResources(undefined, fresh)).resources,
    templates: async () => (await client.listResourceTemplates(undefined, fresh)).resourceTemplates,
    call: async (name, given = {}, { logLevel, ...rest } = {}) => {
      const meta = logLevel === undefined ? {} : { _meta: { [META.logLevel]: logLevel } }
      return await client.callTool({ name, arguments: { ...given }, ...meta }, { ...limits, ...rest })
    },
    read: (uri) => client.readResource({ uri }, fresh),
    prompt: (name, given = {}) => client.getPrompt({ name, arguments: given }, limits),
    complete: async (ref, value) =>
      (await client.complete({ ref: ref as never, argument: { name: 'word', value } })).completion.values,
    capabilities: () => client.getServerCapabilities(),
    listen: async (uris = []) => {
      const lists = { toolsListChanged: true, promptsListChanged: true, resourcesListChanged: true }
      subscription = await client.listen({ ...lists, resourceSubscriptions: [...uris] })
    },
    unlisten: async () => await subscription?.close(),
    close: async () => {
      await subscription?.close()
      await client.close()
    },
  }
}
