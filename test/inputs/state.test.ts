/** Calls that need something of their caller: states brought back wrongly, and callers who can give nothing. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { returnToParked, stateContext } from '../../src/mcp/park.ts'
import type { Forward } from '../../src/mcp/forward.ts'
import { openTickets } from '../../src/mcp/tickets.ts'
import {
  CAPABILITIES_KEY,
  type Change,
  expectError,
  META,
  openYard,
  send,
  type Yard,
} from '../support/base.ts'
import { API_KEY } from '../support/gateway.ts'

let yard: Yard
beforeAll(async () => {
  yard = await openYard({ era: 'legacy', stateful: true })
})
afterAll(() => yard.close())

const ask = (method: string, capabilities: object, rest: object = {}, headers: Change['headers'] = {}) =>
  send(yard.gateway, {
    headers: { 'mcp-name': 'ask', ...headers },
    params: {
      name: 'ask',
      arguments: { method },
      _meta: { ...META, [CAPABILITIES_KEY]: capabilities },
      ...rest,
    },
  })
const ROOTS = { roots: {} }
const park = async (): Promise<string> => {
  const { body } = await ask('roots/list', ROOTS)
  expect(body.result).toMatchObject({ resultType: 'input_required', inputRequests: { input: {} } })
  return body.result.requestState
}
const inputResponses = { input: { roots: [] } }

it('B109 a state is good once, for its caller and its call', async () => {
  const requestState = await park()
  const wrong = [
    await ask('roots/list', ROOTS, { requestState: `A${requestState.slice(1)}B`, inputResponses }),
    await ask('roots/list', ROOTS, { requestState: 5, inputResponses }),
    await ask('roots/list', ROOTS, { requestState, inputResponses }, { 'x-api-key': API_KEY }),
    await ask('roots/list', ROOTS, { requestState, inputResponses, name: 'echo' }, { 'mcp-name': 'echo' }),
  ]
  for (const answer of wrong) expectError(answer, 200, -32602, 'Invalid request state', 1)
  const right = await ask('roots/list', ROOTS, { requestState, inputResponses })
  expect(right.body.result.content[0].text).toBe('{"roots":[]}')
  const again = await ask('roots/list', ROOTS, { requestState, inputResponses })
  expectError(again, 200, -32602, 'Invalid request state', 1)
  expect(yard.upstream.calls('tools/call')).toHaveLength(1)
})
it('B109 a state that came back too late', async () => {
  const principal = {
    organisationId: 'o',
    subject: 's',
    role: 'user',
    agentType: undefined,
    scopes: undefined,
    manages: 'own',
  } as const
  const forward = {
    principal,
    method: 'tools/call',
    serviceId: 's',
    localName: 'ask',
    idText: '1',
  } as Forward
  const tickets = openTickets(new Uint8Array(32))
  const ticket = { object: 'x', round: 1, expiresAt: 1_000 }
  const requestState = await tickets.states.seal(ticket, stateContext(forward))
  const message = {
    method: 'tools/call',
    idText: '1',
    params: { requestState },
    rawParams: new Map<string, string>(),
    meta: undefined,
  }
  const goOn = async () => Response.json({ result: 'went on' })
  const answerAt = async (now: number): Promise<any> => {
    const parked = { start: goOn, goOn }
    const ports = { parked, dispatch: { tickets }, clock: () => now }
    return await (await returnToParked(message, forward, ports)).json()
  }
  expect(await answerAt(1_000)).toEqual({ result: 'went on' })
  expect((await answerAt(1_001)).error).toEqual({ code: -32602, message: 'Invalid request state' })
})

it.each([
  ['elicitation/create', 'elicitation'],
  ['sampling/createMessage', 'sampling'],
  ['roots/list', 'roots'],
])('B113 %s is asked of a caller who has not declared it', async (method, capability) => {
  const data = { requiredCapabilities: { [capability]: {} } }
  const plain = await ask(method, {}, {}, { accept: 'application/json' })
  expect([plain.status, plain.body]).toEqual([
    400,
    { jsonrpc: '2.0', id: 1, error: { code: -32021, message: 'Client capability required', data } },
  ])
  const streamed = await ask(method, {})
  expect([streamed.status, streamed.headers.get('content-type')]).toEqual([200, 'text/event-stream'])
  expect(streamed.body.error).toEqual(plain.body.error)
})
it('B113 a modern upstream that says so is believed', async () => {
  const error = {
    code: -32021,
    message: 'Client capability required',
    data: { requiredCapabilities: { elicitation: {} } },
  }
  const answer = await send(yard.gateway, {
    headers: { 'mcp-name': 'rpc-error' },
    params: { name: 'rpc-error', arguments: { code: error.code, message: error.message } },
  })
  expect([answer.status, answer.body.error.code]).toEqual([400, -32021])
})
