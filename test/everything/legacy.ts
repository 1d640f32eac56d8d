/** A client of the SDK, version 1, that can do everything, and remembers what it was told and asked. */
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { SSEClientTransport } from '@modelcontextprotocol/sdk/client/sse.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { InMemoryTaskStore } from '@modelcontextprotocol/sdk/experimental/tasks/stores/in-memory.js'
import {
  type ClientCapabilities,
  CreateMessageRequestSchema,
  ElicitRequestSchema,
  ListRootsRequestSchema,
} from '@modelcontextprotocol/sdk/types.js'
import { eventually } from '../support/gateway.ts'
import type { Place } from './both.ts'

export const ABILITIES: ClientCapabilities = {
  sampling: {},
  elicitation: { form: {}, url: {} },
  roots: { listChanged: true },
  tasks: { list: {}, cancel: {}, requests: { sampling: { createMessage: {} }, elicitation: { create: {} } } },
}

const SAMPLE = { role: 'assistant', content: { type: 'text', text: 'sampled' }, model: 'a-model' } as const
const FORM = { action: 'accept', content: { name: 'Ada', check: true, integer: 7 } } as const
const ROOT = { uri: 'file:///home/ada', name: 'home' }

export class LegacyCaller {
  readonly client: Client
  /** Notifications and requests, as they came. */
  readonly told: { readonly method: string; readonly params?: any }[] = []
  readonly asked: { readonly method: string; readonly params?: any }[] = []
  readonly roots = [ROOT]
  readonly #transport: StreamableHTTPClientTransport | SSEClientTransport

  constructor({ url, token }: Place, capabilities: ClientCapabilities = ABILITIES) {
    this.client = new Client(
      { name: 'everything', version: '1' },
      { capabilities, taskStore: new InMemoryTaskStore() },
    )
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` }
    const Transport = url.endsWith('/sse') ? SSEClientTransport : StreamableHTTPClientTransport
    this.#transport = new Transport(new URL(url), { requestInit: { headers } })
    this.client.fallbackNotificationHandler = async (notification) => {
      this.told.push(notification)
    }
    if (capabilities.sampling) this.#takeSampling()
    if (capabilities.elicitation) this.#takeElicitation()
    if (capabilities.roots) this.#takeRoots()
  }

  async connect(): Promise<this> {
    await this.client.connect(this.#transport as Parameters<Client['connect']>[0])
    return this
  }

  /** The parameters of the notifications with this method so far. */
  heard(method: string): any[] {
    return this.told.filter((one) => one.method === method).map(({ params }) => params)
  }

  async hears(method: string, times = 1): Promise<any[]> {
    await eventually(9_000, () => {
      if (this.heard(method).length < times) throw new Error(`not told of ${method}`)
    })
    return this.heard(method)
  }

  /** Waits until what is said outside of calls arrives, which the server shows by asking for roots. */
  async listens(): Promise<void> {
    await eventually(9_000, () => {
      const isHeard = this.asked.some(({ method }) => method === 'roots/list')
      if (!isHeard) throw new Error('nothing was asked on the listening stream')
    })
  }

  /** Waits until it was asked so often. */
  async isAsked(times: number): Promise<void> {
    await eventually(9_000, () => {
      if (this.asked.length < times) throw new Error(`asked only ${this.asked.length} times`)
    })
  }

  #takeSampling(): void {
    this.client.setRequestHandler(CreateMessageRequestSchema, async (request, extra) => {
      this.asked.push(request)
      if (!request.params.task || !extra.taskStore) return SAMPLE
      const task = await extra.taskStore.createTask({ ttl: 60_000 })
      await extra.taskStore.storeTaskResult(task.taskId, 'completed', SAMPLE)
      return { task }
    })
  }

  #takeElicitation(): void {
    this.client.setRequestHandler(ElicitRequestSchema, async (request, extra) => {
      this.asked.push(request)
      const { params } = request
      const answer = params.mode === 'url' ? { action: 'accept' as const } : formFor(params.requestedSchema)
      if (!params.task || !extra.taskStore) return answer
      const task = await extra.taskStore.createTask({ ttl: 60_000 })
      await extra.taskStore.storeTaskResult(task.taskId, 'completed', answer)
      return { task }
    })
  }

  #takeRoots(): void {
    this.client.setRequestHandler(ListRootsRequestSchema, async (request) => {
      this.asked.push(request)
      return { roots: this.roots }
    })
  }
}

const formFor = ({ properties }: { properties: object }) =>
  'interpretation' in properties ? { action: 'accept' as const, content: { interpretation: 'snake' } } : FORM
