/** A client of the SDK, version 2: in the modern era through the gateway, in the legacy one at the server itself. */
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { eventually } from '../support/gateway.ts'
import type { Place } from './both.ts'

export class ModernCaller {
  readonly client: Client
  readonly told: { readonly method: string; readonly params?: any }[] = []
  readonly asked: { readonly method: string; readonly params?: any }[] = []
  readonly #place: Place

  constructor(place: Place, era: 'legacy' | 'modern') {
    this.#place = place
    this.client = new Client(
      { name: 'everything', version: '2' },
      {
        capabilities: { sampling: {}, elicitation: { form: {}, url: {} }, roots: {} },
        ...(era === 'modern' && { versionNegotiation: { mode: { pin: '2026-07-28' } } }),
      },
    )
    this.client.fallbackNotificationHandler = async (notification) => {
      this.told.push(notification)
    }
    this.client.setRequestHandler('sampling/createMessage', async (request) => {
      this.asked.push(request)
      return { role: 'assistant', content: { type: 'text', text: 'sampled' }, model: 'a-model' }
    })
    this.client.setRequestHandler('elicitation/create', async (request) => {
      this.asked.push(request)
      return request.params.mode === 'url'
        ? { action: 'accept' }
        : { action: 'accept', content: { name: 'Ada', check: true } }
    })
    this.client.setRequestHandler('roots/list', async () => ({
      roots: [{ uri: 'file:///home/ada', name: 'home' }],
    }))
  }

  async connect(): Promise<this> {
    const { url, token } = this.#place
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` }
    await this.client.connect(new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers } }))
    return this
  }

  async hears(method: string): Promise<any[]> {
    const heard = () => this.told.filter((one) => one.method === method)
    await eventually(9_000, () => {
      if (heard().length === 0) throw new Error(`not told of ${method}`)
    })
    return heard().map(({ params }) => params)
  }
}
