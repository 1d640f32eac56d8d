/** B109: until when a state is good, and for whom, with the clock in hand. */
import { describe, expect, it } from 'vitest'
import type { Forward } from '../../../src/mcp/forward.ts'
import { type Comeback, returnToParked, stateContext } from '../../../src/mcp/park.ts'
import { openTickets } from '../../../src/mcp/tickets.ts'
import type { Message } from '../../../src/protocol/message.ts'

const tickets = openTickets(new Uint8Array(32).fill(7))
const EXPIRES_AT = 1_800_000_000_000

const forward: Forward = {
  serviceId: 'service-1',
  method: 'tools/call',
  params: [],
  localName: 'ask',
  mirrors: [],
  given: undefined,
  endpoint: { is: 'all', names: 'bare' },
  principal: {
    organisationId: 'default',
    subject: 'ada',
    role: 'user',
    agentType: undefined,
    scopes: undefined,
    manages: 'own',
  },
  session: undefined,
  era: 'modern',
  capabilities: '{"elicitation":{}}',
  logLevel: undefined,
  idText: '2',
  acceptsJson: true,
  acceptsStream: true,
  context: { correlationId: 'c', trace: {}, isGiven: false },
  hops: 0,
}

/** Brings a state back at this time; gives the status text and what reached the parked call. */
async function comeBack(now: number, change: Partial<Forward> = {}) {
  const ticket = { object: 'object-1', round: 3, expiresAt: EXPIRES_AT }
  const requestState = await tickets.states.seal(ticket, stateContext(forward))
  const rawParams = new Map([['inputResponses', '{"input":{"n":12345678901234567890}}']])
  const message: Message = {
    method: 'tools/call',
    idText: '2',
    params: { requestState },
    rawParams,
    meta: undefined,
  }
  const reached: { object: string; comeback: Comeback }[] = []
  const response = await returnToParked(
    message,
    { ...forward, ...change },
    {
      parked: {
        start: () => Promise.reject(new Error('nothing may begin again')),
        goOn: async (object, comeback) => {
          reached.push({ object, comeback })
          return new Response('{}')
        },
      },
      dispatch: { tickets },
      clock: () => now,
    },
  )
  return { reached, text: await response.text() }
}

const REFUSED = { jsonrpc: '2.0', id: 2, error: { code: -32602, message: 'Invalid request state' } }

describe('a state', () => {
  it.each([EXPIRES_AT - 600_000, EXPIRES_AT])('is good at %i, to its end', async (now) => {
    const { reached } = await comeBack(now)
    expect(reached).toEqual([
      {
        object: 'object-1',
        comeback: {
          round: 3,
          idText: '2',
          inputResponses: [['input', '{"n":12345678901234567890}']],
          acceptsJson: true,
          acceptsStream: true,
        },
      },
    ])
  })

  it.each([EXPIRES_AT + 1, EXPIRES_AT + 86_400_000])('is refused at %i, and reaches no call', async (now) => {
    const { reached, text } = await comeBack(now)
    expect(JSON.parse(text)).toEqual(REFUSED)
    expect(reached).toEqual([])
  })

  it.each<[string, Partial<Forward>]>([
    ['subject', { principal: { ...forward.principal, subject: 'eve' } }],
    ['organisation', { principal: { ...forward.principal, organisationId: 'other' } }],
    ['service', { serviceId: 'service-2' }],
    ['tool', { localName: 'other' }],
    ['method', { method: 'prompts/get' }],
  ])('is refused for another %s', async (_, change) => {
    const { reached, text } = await comeBack(EXPIRES_AT - 1, change)
    expect(JSON.parse(text)).toEqual(REFUSED)
    expect(reached).toEqual([])
  })
})
