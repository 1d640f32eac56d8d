/**
 * Whatever an upstream answers, its caller is told something that the documents describe, in time, and the gateway
 * stays well. A failure names its seed; `FUZZ_SEED=<seed>` answers the same again.
 */
import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { LIMITS } from '../../src/protocol/limits.ts'
import { CAPABILITIES_KEY, HEADERS, META, openYard, type Yard } from '../support/base.ts'
import { expectDocumented } from '../support/documented.ts'
import { faultOf, oddAnswer, type OddAnswer } from '../support/odd-answer.ts'
import { STAYS_CLOSED } from '../support/gateway.ts'
import { startUpstream, type Upstream, type UpstreamOptions } from '../support/upstream.ts'
import { exchange, type WireRequest } from '../support/wire.ts'

const RUNS: fc.Parameters<unknown> = {
  numRuns: 4_000,
  interruptAfterTimeLimit: 15_000,
  seed: Number(process.env['FUZZ_SEED'] ?? Date.now() % 2 ** 31),
}
const OFFER = { resources: [{ uri: 'test://one', name: 'one' }], prompts: [{ name: 'greet' }] }
const KINDS: Readonly<Record<string, UpstreamOptions>> = {
  modern: { era: 'modern' },
  stateless: { era: 'legacy' },
  stateful: { era: 'legacy', stateful: true },
}
const names = Object.keys(KINDS)

let yard: Yard
let said = ''
const upstreams = new Map<string, Upstream>()
beforeAll(async () => {
  yard = await openYard({}, { sink: (text) => (said += text) })
  for (const [name, options] of Object.entries(KINDS)) {
    const upstream = await startUpstream({ ...OFFER, ...options })
    upstreams.set(name, upstream)
    expect(
      (await yard.gateway.register(name, upstream.url, { timeoutMs: 1_000, ...STAYS_CLOSED })).status,
    ).toBe(201)
  }
})
afterAll(async () => {
  await yard.close()
  await Promise.all([...upstreams.values()].map((upstream) => upstream.stop()))
})

const CALLS = {
  'tools/call': { name: 'echo', arguments: { text: 'hi' }, _meta: { progressToken: 1 } },
  'prompts/get': { name: 'greet' },
  'resources/read': { uri: 'test://one' },
  'completion/complete': { ref: { type: 'ref/prompt', name: 'greet' }, argument: { name: 'a', value: '' } },
  'tasks/get': { taskId: 't' },
} as const
const ABLE = { roots: {}, sampling: {}, elicitation: { url: {} } }
const { 'mcp-method': _m, 'mcp-name': _n, 'mcp-protocol-version': _v, ...PLAIN } = HEADERS

/** A legacy client is asked something by the gateway: from here on it is its turn. */
const ASKED = /^data: .*"id":"[\w-]{40,}","method":.*\n\n/m

/** What a caller must have been given: the answer, a question, or a place at which to ask for the rest. */
const SETTLED = /"id":7\b|^id: u/m

/** A large answer of declared length passes as it came, whatever it says. */
function passedUnread(told: string, odd: OddAnswer): boolean {
  const fault = faultOf(odd)
  if (fault.is !== 'respond' || fault.pieceBytes !== undefined || typeof fault.body !== 'function')
    return false
  const sent = Buffer.from(fault.body('7'))
  return sent.length > LIMITS.checkedAnswerBytes && sent.toString() === told
}

type Caller = 'modern' | 'able' | 'legacy' | 'session'
async function requestOf(
  caller: Caller,
  method: keyof typeof CALLS,
  path: string,
  accept: string,
): Promise<WireRequest> {
  const isModern = caller === 'modern' || caller === 'able'
  const params = { ...CALLS[method] }
  const named = Object.values(params)[0]
  const capabilities = caller === 'able' ? ABLE : {}
  const modern = {
    'mcp-protocol-version': '2026-07-28',
    'mcp-method': method,
    'mcp-name': typeof named === 'string' ? named : 'x',
  }
  const headers = isModern
    ? modern
    : { 'mcp-protocol-version': '2025-11-25', ...(caller === 'session' && (await begin(path))) }
  const meta = isModern ? { _meta: { ...META, [CAPABILITIES_KEY]: capabilities, progressToken: 1 } } : {}
  const text = JSON.stringify({ jsonrpc: '2.0', id: 7, method, params: { ...params, ...meta } })
  return {
    method: 'POST',
    path,
    headers: { ...PLAIN, accept, ...headers },
    body: new TextEncoder().encode(text),
  }
}
async function begin(path: string): Promise<Record<string, string>> {
  const params = {
    protocolVersion: '2025-11-25',
    capabilities: ABLE,
    clientInfo: { name: 't', version: '1' },
  }
  const { headers } = await yard.gateway.rpc('initialize', params, { path })
  return { 'mcp-session-id': headers.get('mcp-session-id') ?? '' }
}

it('any answer', async () => {
  const property = fc.asyncProperty(
    fc.constantFrom(...names),
    fc.constantFrom<Caller>('modern', 'able', 'legacy', 'session'),
    fc.constantFrom(...(Object.keys(CALLS) as (keyof typeof CALLS)[])),
    fc.constantFrom('application/json', 'text/event-stream', 'application/json, text/event-stream'),
    fc.constantFrom('own', 'own', 'own', 'all', 'initialize'),
    oddAnswer,
    async (name, caller, method, accept, hit, answer) => {
      const upstream = upstreams.get(name)
      const request = await requestOf(caller, method, `/mcp/${name}`, accept)
      const scope = hit === 'all' ? {} : { for: hit === 'own' ? method : hit }
      const clear = upstream?.dial.set({ ...faultOf(answer), ...scope, times: 20 })
      if (hit !== 'own') upstream?.forgetSessions()
      const told = await exchange(yard.gateway.url, request, { until: ASKED }).finally(clear)
      expect(told.status).toBeLessThan(500)
      if (passedUnread(told.text, answer)) return
      expectDocumented(told, request.body, true)
      if (!ASKED.test(told.text)) expect(told.text).toMatch(SETTLED)
    },
  )
  await fc.assert(property, RUNS)
}, 40_000)

it('the gateway is well afterwards, and nothing was a bug', async () => {
  // The last run may have been interrupted before it took its fault back.
  for (const upstream of upstreams.values()) upstream.dial.clear()
  expect((await yard.gateway.fetch('/health')).body.status).toBe('ok')
  for (const name of names) {
    // What it announced while it was not itself may have been believed.
    expect((await yard.gateway.manage('POST', `/api/v1/servers/${name}/refresh`)).status).toBe(200)
    const params = { name: 'echo', arguments: { text: 'well' } }
    const { body } = await yard.gateway.rpc('tools/call', params, { path: `/mcp/${name}` })
    expect(body.result?.content[0].text, JSON.stringify(body)).toBe('well')
  }
  expect(said.split('\n').filter((line) => /"event":"bug"|[Uu]ncaught/.test(line))).toEqual([])
})
