/**
 * What nobody here knows crosses byte for byte, in both directions and all cells: unknown fields at every place,
 * unknown content, numbers that no double can hold (B100). The upstreams are fake, so that their bytes can be seen.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { Era } from '../../src/protocol/version.ts'
import type { Fault } from '../support/dial.ts'
import { readEvents } from '../support/event.ts'
import { eventually, type Gateway } from '../support/gateway.ts'
import { type LegacySession, openLegacySession } from '../support/legacy-session.ts'
import { modernCall } from '../support/modern-call.ts'
import { startStack, type Stack } from '../support/stack.ts'
import { startUpstream, type Upstream } from '../support/upstream.ts'

const ODD =
  '{ "big":12345678901234567890, "small":0.10000000000000000001, "huge":1e400, "zero":-0.0, "e":1.50E+3, "é":"\\u00e9\\/", "of":{"z":[ 1,2 ],"a":null} }'
const resultsOf = (era: Era): Readonly<Record<string, string>> => ({
  'tools/call': `{"content":[{"type":"hologram","odd":${ODD}},{"type":"text","text":"t","odd":${ODD},"annotations":{"odd":${ODD}}}],"structuredContent":${ODD},"odd":${ODD},"_meta":{"a.b/c":${ODD}}}`,
  'resources/read': `{"contents":[{"uri":"odd://${era}","text":"t","odd":${ODD}},{"uri":"odd://${era}","hologram":${ODD}}],"odd":${ODD},"_meta":{"a.b/c":${ODD}}}`,
  'prompts/get': `{"messages":[{"role":"user","content":{"type":"hologram","odd":${ODD}},"odd":${ODD}}],"odd":${ODD},"_meta":{"a.b/c":${ODD}}}`,
})
const METHODS = ['tools/call', 'resources/read', 'prompts/get']
const ASK = `{"message":"?","requestedSchema":{"type":"object","properties":{},"odd":${ODD}},"odd":${ODD},"_meta":{"a.b/c":${ODD}}}`
const REPLY = `{"action":"accept","content":${ODD},"odd":${ODD},"_meta":{"a.b/c":${ODD}}}`

let stack: Stack
let gateway: Gateway
const upstreams: Partial<Record<Era, Upstream>> = {}
const upstreamOf = (era: Era): Upstream => {
  const found = upstreams[era]
  if (!found) throw new Error(`no ${era} upstream`)
  return found
}

beforeAll(async () => {
  stack = await startStack()
  gateway = await stack.gateway()
  for (const era of ['legacy', 'modern'] as const) {
    upstreams[era] = await startUpstream({
      era,
      stateful: era === 'legacy',
      tools: [`{"name":"odd-tool","inputSchema":{"type":"object","odd":${ODD}},"odd":${ODD}}`],
      resources: [`{"uri":"odd://${era}","name":"odd-resource","odd":${ODD}}`],
      prompts: [`{"name":"odd-prompt","odd":${ODD}}`],
    })
    expect((await gateway.register(era, upstreamOf(era).url)).status).toBe(201)
  }
})
afterEach(() => Object.values(upstreams).forEach((upstream) => upstream.dial.clear()))
afterAll(async () => {
  await stack.close()
  await Promise.all(Object.values(upstreams).map((upstream) => upstream.stop()))
})

const cells = (['/mcp', '/mcp/:service'] as const).flatMap((endpoint) =>
  (['legacy', 'modern'] as const).flatMap((caller) =>
    (['legacy', 'modern'] as const).map((upstream) => ({ caller, upstream, endpoint })),
  ),
)

describe.each(cells)(
  '$caller caller, $upstream upstream, at $endpoint',
  ({ caller, upstream: era, endpoint }) => {
    const path = endpoint === '/mcp' ? '/mcp' : `/mcp/${era}`
    const prefix = endpoint === '/mcp' ? `${era}__` : ''
    let session: LegacySession
    beforeAll(async () => {
      session = await openLegacySession(gateway, { path, capabilities: { elicitation: {} } })
    })

    const nameOf = (method: string): string =>
      method === 'resources/read'
        ? `odd://${era}`
        : `${prefix}${method === 'tools/call' ? 'raw' : 'odd-prompt'}`

    /** The request in the caller's era, with odd things in every place; `rest`: raw members of `params`. */
    function request(method: string, rest = ''): RequestInit & { readonly body: string } {
      const name = nameOf(method)
      const init = modernCall(name, { method, capabilities: { elicitation: {} } })
      const meta = caller === 'modern' ? JSON.stringify(JSON.parse(init.body).params._meta).slice(1, -1) : ''
      const member = method === 'resources/read' ? 'uri' : 'name'
      const given = method === 'resources/read' ? '' : `"arguments":${ODD},`
      const token = '"progressToken":"t"'
      const params = `{"odd":${ODD},"${member}":"${name}",${given}${rest}"_meta":{"a.b/c":${ODD},${token}${meta && ','}${meta}}}`
      const body = `{"odd":${ODD},"jsonrpc":"2.0","id":7,"method":"${method}","params":${params}}`
      return caller === 'modern' ? { ...init, body } : { method: 'POST', headers: session.headers, body }
    }
    const send = async (method: string, rest?: string) => await gateway.fetch(path, request(method, rest))
    const resultOf = (method: string): string => {
      const raw = resultsOf(era)[method] ?? '{}'
      return era === 'modern'
        ? `{"resultType":"complete","ttlMs":0,"cacheScope":"private",${raw.slice(1)}`
        : raw
    }
    const answer = (idText: string, result: string): string =>
      `{"jsonrpc":"2.0","odd":${ODD},"id":${idText},"result":${result}}`
    const plain = (result: string): Fault => ({ is: 'respond', body: (idText) => answer(idText, result) })
    const stream = (result: string, ...before: string[]): Fault => ({
      is: 'respond',
      headers: { 'content-type': 'text/event-stream' },
      body: (idText) => [...before, answer(idText, result)].map((text) => `data: ${text}\n\n`).join(''),
    })
    const seen = (method: string): string => upstreamOf(era).calls(method).at(-1)?.body ?? ''

    describe.each(METHODS)('%s', (method) => {
      it('carries the request', async () => {
        upstreamOf(era).dial.set({ ...plain(resultOf(method)), for: method })
        await send(method)
        const body = seen(method)
        expect(body).toContain(`"a.b/c":${ODD}`)
        expect(body.match(/"odd":\{ "big"/g)).toHaveLength(2)
        expect(body.split(`"odd":${ODD}`)).toHaveLength(3)
        if (method !== 'resources/read') expect(body).toContain(`"arguments":${ODD}`)
      })

      it.each([
        ['as it is', plain],
        ['on a stream', stream],
      ])('carries the result %s', async (_, deliver) => {
        const result = resultOf(method)
        upstreamOf(era).dial.set({ ...deliver(result), for: method })
        const { text, body } = await send(method)
        expect(body.id).toBe(7)
        expect(text).toContain(resultsOf(era)[method]?.slice(1))
        expect(text).toContain(`"odd":${ODD},"id":7`)
      })

      it('carries an error', async () => {
        const error = `{"code":-32099,"message":"odd","data":${ODD},"odd":${ODD}}`
        const body = (idText: string) => `{"jsonrpc":"2.0","odd":${ODD},"id":${idText},"error":${error}}`
        upstreamOf(era).dial.set({ is: 'respond', body, for: method })
        const { text } = await send(method)
        expect(text).toContain(error)
        expect(text).toContain(`"odd":${ODD},"id":7`)
      })
    })

    it('carries notifications on the way to a result', async () => {
      const progress = `{"jsonrpc":"2.0","odd":${ODD},"method":"notifications/progress","params":{"progressToken":"t","progress":0.10000000000000000001,"odd":${ODD},"_meta":{"a.b/c":${ODD}}}}`
      const unknown = `{"odd":${ODD},"jsonrpc":"2.0","method":"notifications/odd","params":${ODD}}`
      upstreamOf(era).dial.set({ ...stream(resultOf('tools/call'), progress, unknown), for: 'tools/call' })
      const { text } = await send('tools/call')
      expect(readEvents(text).slice(0, 2)).toEqual([progress, unknown])
    })

    it('carries what an upstream asks, and what it is answered', async () => {
      const { dial, requests } = upstreamOf(era)
      const idText = '12345678901234567890'
      if (era === 'legacy') {
        const rest = `"odd":${ODD},"params":${ASK}`
        dial.set({ is: 'asks', method: 'elicitation/create', idText, rest, for: 'tools/call', times: 1 })
      } else {
        const inputRequests = `{"k":{"method":"elicitation/create","odd":${ODD},"params":${ASK}}}`
        const result = `{"resultType":"input_required","inputRequests":${inputRequests},"requestState":"s","odd":${ODD}}`
        dial.set({ ...plain(result), for: 'tools/call', times: 1 })
      }
      const before = requests.length
      if (caller === 'modern') {
        const asked = await send('tools/call')
        expect(asked.text).toContain(`"params":${ASK}`)
        expect(asked.text.replace(ASK, '')).toContain(`"odd":${ODD}`)
        const { inputRequests, requestState } = asked.body.result
        const [key = ''] = Object.keys(inputRequests)
        const rest = `"requestState":${JSON.stringify(requestState)},"inputResponses":{"${key}":${REPLY}},`
        expect((await send('tools/call', rest)).body.result.content).toBeDefined()
      } else {
        let last = ''
        for await (const text of session.follow(request('tools/call').body)) {
          last = text
          const message = JSON.parse(text)
          if (message.method === undefined) continue
          expect(text).toContain(`"params":${ASK}`)
          expect(text.replace(ASK, '')).toContain(`"odd":${ODD}`)
          const reply = `{"odd":${ODD},"jsonrpc":"2.0","id":${JSON.stringify(message.id)},"result":${REPLY}}`
          expect((await session.post(reply)).status).toBe(202)
        }
        expect(JSON.parse(last).result.content).toBeDefined()
      }
      const told = (): string[] => requests.slice(before).map(({ body }) => body)
      const replies = (): string[] => told().filter((body) => body.includes(REPLY))
      await eventually(1_000, () => expect(replies()).toHaveLength(1))
      expect(replies()[0]).toContain(era === 'legacy' ? `"id":${idText}` : `"inputResponses":{"k":${REPLY}}`)
      expect(told().filter((body) => body.includes('"tools/call"'))).toHaveLength(era === 'legacy' ? 1 : 2)
    })

    it('carries what is listed', async () => {
      for (const [method, own] of [
        ['tools/list', `"inputSchema":{"type":"object","odd":${ODD}},"odd":${ODD}`],
        ['resources/list', `"odd":${ODD}`],
        ['prompts/list', `"odd":${ODD}`],
      ] as const) {
        const list = caller === 'modern' ? gateway.modern : gateway.rpc
        const { text } = await list.call(gateway, method, {}, { path })
        expect(text.split(own)).toHaveLength(endpoint === '/mcp' ? 3 : 2)
      }
    })
  },
)

describe('a session', () => {
  it.each([
    ['progress', `{"odd":${ODD},"jsonrpc":"2.0","method":"notifications/progress","params":`],
    ['cancelled', `{"odd":${ODD},"jsonrpc":"2.0","method":"notifications/cancelled","params":`],
    [
      'roots/list_changed',
      `{"odd":${ODD},"jsonrpc":"2.0","method":"notifications/roots/list_changed","params":`,
    ],
  ])('carries notifications of its client: %s', async (kind, start) => {
    const session = await openLegacySession(gateway, {
      path: '/mcp/legacy',
      capabilities: { elicitation: {} },
    })
    const { dial } = upstreamOf('legacy')
    const ask = `{"message":"?","requestedSchema":{},"_meta":{"progressToken":12345678901234567890}}`
    dial.set({
      is: 'asks',
      method: 'elicitation/create',
      rest: `"params":${ask}`,
      for: 'tools/call',
      times: 1,
    })
    const call = `{"jsonrpc":"2.0","id":9,"method":"tools/call","params":{"name":"echo"}}`
    const [first = ''] = readEvents((await session.post(call)).text)
    const token = JSON.stringify(JSON.parse(first).params._meta.progressToken)
    const own =
      { progress: `"progressToken":${token},"progress":1e400,`, cancelled: '"requestId":99,' }[kind] ?? ''
    expect((await session.post(`${start}{${own}"odd":${ODD}}}`)).status).toBe(202)
    const told = (): string => upstreamOf('legacy').calls(`notifications/${kind}`).at(-1)?.body ?? ''
    await eventually(1_000, () => expect(told().split(`"odd":${ODD}`)).toHaveLength(3))
    if (kind === 'progress') {
      expect(told()).toContain('"progressToken":12345678901234567890,"progress":1e400')
    }
  })
})
