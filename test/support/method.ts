/** The methods of the fake upstream, from a request that passed the door to what it comes to. */
import type { Dial, Fault } from './dial.ts'
import type { LegacyDoor } from './legacy.ts'
import {
  failure,
  isObject,
  type JsonObject,
  type Message,
  notificationText,
  type Outcome,
  type Seen,
} from './message.ts'
import { MODERN_VERSION, SUBSCRIPTION_KEY } from './modern.ts'
import { type ListFault, nameOf, type Offer } from './offer.ts'
import type { Reply } from './reply.ts'
import { runTaskMethod } from './task.ts'
import { runTool } from './tool.ts'

/** An answer; 202 without one; 200 without one; or a stream that stays open. */
export type Choice = Outcome | 'accepted' | 'ended' | 'open'

export type Run = {
  readonly seen: Seen
  readonly message: Message
  readonly isModern: boolean
  readonly reply: Reply
  readonly fault: Fault | undefined
}

const LEGACY_ACKNOWLEDGED = new Set([
  'ping',
  'logging/setLevel',
  'resources/subscribe',
  'resources/unsubscribe',
])

export class Method {
  readonly #offer: Offer
  readonly #dial: Dial
  readonly #door: LegacyDoor
  readonly #listeners = new Map<Reply, string | number | undefined>()
  /** Requests of ours that a client has yet to answer, by id. */
  readonly #asked = new Map<string | number, (outcome: unknown) => void>()
  #lastAsked = 0

  constructor(offer: Offer, dial: Dial, door: LegacyDoor) {
    this.#offer = offer
    this.#dial = dial
    this.#door = door
  }

  async run(run: Run): Promise<Choice> {
    const { message, isModern } = run
    if (message.method === undefined) return this.#receive(message)
    if (message.id === undefined) return 'accepted'
    return (await (isModern ? this.#modern(run) : this.#legacy(run))) ?? (await this.#common(run))
  }

  /** A stream that stays open for announcements; `id`: of the modern subscription. */
  listen(reply: Reply, id?: string | number): Choice {
    reply.openStream()
    this.#listeners.set(reply, id)
    reply.signal.addEventListener('abort', () => this.#listeners.delete(reply), { once: true })
    return 'open'
  }

  announce(text: string): void {
    for (const [reply, id] of this.#listeners) reply.event(id === undefined ? text : stamp(text, id))
  }

  #receive({ id, outcome }: Message): Choice {
    if (id === undefined || outcome === undefined) return failure(400, -32600, 'Invalid Request')
    this.#asked.get(id)?.(outcome)
    return 'accepted'
  }

  async #legacy({ message, reply }: Run): Promise<Choice | undefined> {
    const { method = '', params } = message
    if (method !== 'initialize') return LEGACY_ACKNOWLEDGED.has(method) ? { result: '{}' } : undefined
    const { capabilities, instructions } = this.#offer
    const { outcome, sessionId } = this.#door.initialize(params, capabilities, instructions)
    if (sessionId !== undefined) reply.headers['mcp-session-id'] = sessionId
    return outcome
  }

  async #modern({ message, reply }: Run): Promise<Choice | undefined> {
    if (message.method === 'server/discover') {
      const { capabilities, instructions } = this.#offer
      return { result: JSON.stringify({ supportedVersions: [MODERN_VERSION], capabilities, instructions }) }
    }
    if (message.method !== 'subscriptions/listen') return undefined
    const choice = this.listen(reply, message.id)
    const params = { notifications: message.params['notifications'] ?? {} }
    const text = notificationText('notifications/subscriptions/acknowledged', params)
    reply.event(message.id === undefined ? text : stamp(text, message.id))
    return choice
  }

  async #common({ seen, message, isModern, reply, fault }: Run): Promise<Outcome> {
    const { method = '', params, meta } = message
    const list = this.#offer.list(method, params['cursor'], asListFault(fault))
    if (list) return list
    const task = this.#offer.runsTasks ? runTaskMethod(method, params, isModern) : undefined
    if (task) return task
    switch (method) {
      case 'tools/call': {
        const ask = (asked: string, askedParams: JsonObject) => this.#ask(reply, asked, askedParams)
        const { raw } = this.#dial
        return await runTool({ seen, params, meta, isModern, reply, offer: this.#offer, raw, ask })
      }
      case 'resources/read':
        return this.#read(String(params['uri']), isModern)
      case 'prompts/get':
        return this.#prompt(String(params['name']), params['arguments'])
      default:
        return failure(isModern ? 404 : 200, -32601, 'Method not found')
    }
  }

  #ask(reply: Reply, method: string, params: JsonObject): Promise<unknown> {
    const id = `ask-${++this.#lastAsked}`
    return new Promise((resolve, reject) => {
      const end = (): void => {
        this.#asked.delete(id)
        reject(new Error('the caller is gone'))
      }
      this.#asked.set(id, resolve)
      reply.signal.addEventListener('abort', end, { once: true })
      reply.event(JSON.stringify({ jsonrpc: '2.0', id, method, params }))
    }).finally(() => this.#asked.delete(id))
  }

  #read(uri: string, isModern: boolean): Outcome {
    const isKnown = this.#offer.resources.some((resource) => nameOf(resource, 'uri') === uri)
    if (!isKnown) return failure(200, isModern ? -32602 : -32002, 'Resource not found', { uri })
    const contents = [{ uri, mimeType: 'text/plain', text: `content of ${uri}` }]
    return { result: JSON.stringify({ contents }) }
  }

  #prompt(name: string, given: unknown): Outcome {
    const isKnown = this.#offer.prompts.some((prompt) => nameOf(prompt) === name)
    if (!isKnown) return failure(200, -32602, `Unknown prompt: ${name}`)
    const text = `${name} ${JSON.stringify(isObject(given) ? given : {})}`
    return { result: JSON.stringify({ messages: [{ role: 'user', content: { type: 'text', text } }] }) }
  }
}

/** A notification that says which subscription it belongs to. */
function stamp(text: string, id: string | number): string {
  const message = JSON.parse(text)
  const meta = { ...message.params?._meta, [SUBSCRIPTION_KEY]: id }
  return JSON.stringify({ ...message, params: { ...message.params, _meta: meta } })
}

function asListFault(fault: Fault | undefined): ListFault | undefined {
  switch (fault?.is) {
    case 'endless_pages':
    case 'repeated_cursor':
    case 'many_tools':
    case 'duplicate_tools':
      return fault
    default:
      return undefined
  }
}
