/** Row L3 for listening streams: many at once, for a minute, through one gateway. */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually, type Gateway, TOKEN } from '../support/gateway.ts'
import { startStack, type Stack } from '../support/stack.ts'
import { startUpstream, type Upstream } from '../support/upstream.ts'

const STREAMS_OF_EACH_ERA = 250
const OPEN_FOR_MS = 60_000

let stack: Stack
let gateway: Gateway
let upstreams: Upstream[]

beforeAll(async () => {
  stack = await startStack()
  gateway = await stack.gateway({ MAX_LISTENS_PER_PRINCIPAL: String(STREAMS_OF_EACH_ERA) })
  upstreams = await Promise.all([
    startUpstream({ era: 'legacy', stateful: true, listens: true }),
    startUpstream({ era: 'modern' }),
  ])
  await gateway.register('older', upstreams[0]?.url ?? '')
  await gateway.register('newer', upstreams[1]?.url ?? '')
})
afterAll(async () => {
  await stack.close()
  await Promise.all(upstreams.map((upstream) => upstream.stop()))
})

/** A stream that is read until it ends or is let go. */
class Listening {
  text = ''
  isOver = false
  readonly #leaving = new AbortController()

  get changes(): number {
    return this.text.match(/"notifications\/tools\/list_changed"/g)?.length ?? 0
  }

  get keepAlives(): number {
    return this.text.match(/^: keep-alive$/gm)?.length ?? 0
  }

  async open(init: RequestInit): Promise<this> {
    const response = await fetch(`${gateway.url}/mcp`, { ...init, signal: this.#leaving.signal })
    expect(response.status).toBe(200)
    this.#read(response).catch(() => undefined)
    return this
  }

  leave(): void {
    this.#leaving.abort()
  }

  async #read(response: Response): Promise<void> {
    const pieces = response.body?.pipeThrough(new TextDecoderStream()) ?? []
    for await (const piece of pieces) this.text += piece
    this.isOver = true
  }
}

async function listenAsLegacy(): Promise<Listening> {
  const clientInfo = { name: 'test', version: '1' }
  const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo }
  const { headers } = await gateway.rpc('initialize', params)
  return await new Listening().open({
    headers: {
      authorization: `Bearer ${TOKEN}`,
      accept: 'text/event-stream',
      'mcp-session-id': headers.get('mcp-session-id') ?? '',
      'mcp-protocol-version': '2025-11-25',
    },
  })
}

function listenAsModern(id: number): Promise<Listening> {
  const _meta = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientCapabilities': {},
  }
  const method = 'subscriptions/listen'
  const params = { notifications: { toolsListChanged: true }, _meta }
  return new Listening().open({
    method: 'POST',
    headers: {
      authorization: `Bearer ${TOKEN}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': method,
    },
    body: JSON.stringify({ jsonrpc: '2.0', id, method, params }),
  })
}

async function listeningNow(): Promise<number> {
  const { body } = await gateway.fetch('/health')
  return body.streams.listening
}

describe('five hundred listening streams', () => {
  it(
    'stay open for a minute, hear of each change once, and leave nothing behind',
    { timeout: 240_000 },
    async () => {
      const before = await listeningNow()
      const streams: Listening[] = []
      for (let id = 0; id < STREAMS_OF_EACH_ERA; id++) {
        streams.push(...(await Promise.all([listenAsLegacy(), listenAsModern(id)])))
      }
      expect(await listeningNow()).toBe(before + streams.length)

      await sleep(OPEN_FOR_MS / 2)
      await gateway.register('third', upstreams[0]?.url ?? '')
      await sleep(OPEN_FOR_MS / 2)
      expect(streams.filter(({ isOver }) => isOver)).toEqual([])
      expect(streams.filter(({ changes }) => changes !== 1)).toEqual([])
      expect(streams.filter(({ keepAlives }) => keepAlives < 3)).toEqual([])
      expect((await gateway.rpc('ping')).body).toEqual({ jsonrpc: '2.0', id: 1, result: {} })

      for (const stream of streams) stream.leave()
      await eventually(30_000, async () => expect(await listeningNow()).toBe(before))
      await eventually(100_000, () => expect(upstreams.map(({ open }) => open)).toEqual([0, 0]))
    },
  )
})
