import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeHeader, encodeHeader } from '../../../src/protocol/header.ts'
import { checkInbound, eraOf, LADDER } from '../../../src/protocol/ladder.ts'
import { decodeBody, type Message } from '../../../src/protocol/message.ts'
import { describeRefusal, type Refusal, refuse } from '../../../src/protocol/refusal.ts'

const encode = (text: string): Uint8Array => new TextEncoder().encode(text)
const json = fc.jsonValue().map((value) => encode(JSON.stringify(value)))
const almost = fc.record({
  jsonrpc: fc.constantFrom<unknown>('2.0', '1.0', 2),
  id: fc.oneof(fc.integer(), fc.string(), fc.constant(null), fc.double()),
  method: fc.oneof(
    fc.constantFrom('tools/call', 'tools/list', 'initialize', 'ping', '__proto__'),
    fc.string(),
    fc.integer(),
  ),
  params: fc.oneof(
    fc.dictionary(fc.string(), fc.jsonValue()),
    fc.record({ name: fc.jsonValue(), _meta: fc.jsonValue() }),
  ),
})
const bytes = fc.oneof(
  fc.uint8Array(),
  json,
  almost.map((message) => encode(JSON.stringify(message))),
)

const checkAgainst = (message: Message, headers: Headers) =>
  checkInbound({ message, headers, era: eraOf(message, headers) })

function refusalFor(given: Uint8Array, headers: Headers): Refusal | undefined {
  const decoded = decodeBody(given)
  if (!decoded.ok) return decoded.error.refusal
  return decoded.value.is === 'message' ? checkAgainst(decoded.value.message, headers) : undefined
}

describe('any bytes at all', () => {
  it('become a message or a refusal with a 4xx, whatever the headers say', async () => {
    const header = fc.option(fc.constantFrom('2026-07-28', '2025-11-25', 'x'), { nil: undefined })
    await fc.assert(
      fc.asyncProperty(bytes, header, async (given, version) => {
        const headers = new Headers(version === undefined ? {} : { 'mcp-protocol-version': version })
        const refusal = refusalFor(given, headers)
        if (!refusal) return
        const response = refuse(refusal)
        expect(response.status === 200 || (response.status >= 400 && response.status < 500)).toBe(true)
        const body = JSON.parse(await response.text())
        expect(body).toMatchObject({
          jsonrpc: '2.0',
          error: { code: expect.any(Number), message: expect.any(String) },
        })
      }),
    )
  })
})

describe('the header codec', () => {
  it('gives back every text, and lets no control character into a header', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const value = encodeHeader(text)
        expect(value).toMatch(/^[\x20-\x7e]*$/)
        expect(decodeHeader(value)).toEqual({ ok: true, value: text.toWellFormed() })
      }),
    )
  })
})

describe('the ladder', () => {
  it('names each rung once, with the rows it answers', () => {
    expect(new Set(LADDER.map(({ rung }) => rung)).size).toBe(LADDER.length)
    for (const { cells } of LADDER) expect(cells).toMatch(/^B\d/)
  })
})

describe('refusals', () => {
  it('use no code that the protocol reserves for others', () => {
    const ours = [
      describeRefusal({ why: 'upstream_auth', service: 'a' }),
      describeRefusal({ why: 'unavailable', retryAfterMs: 1 }),
      describeRefusal({ why: 'method_not_allowed', allow: 'POST' }),
    ]
    for (const { code } of ours) expect(code < -32768 || code > -32000).toBe(true)
  })

  it('tell when to come back in whole seconds, never zero', () => {
    expect(describeRefusal({ why: 'unavailable', retryAfterMs: 1 }).headers).toEqual({ 'retry-after': '1' })
    expect(describeRefusal({ why: 'unavailable', retryAfterMs: 1_001 }).headers).toEqual({
      'retry-after': '2',
    })
  })
})

describe('members that no version knows', () => {
  const read = (text: string): any => decodeBody(encode(text))
  it.each([
    ['message', '{"odd":1e400,"jsonrpc":"2.0","id":1,"method":"ping","big":12345678901234567890}'],
    ['reply', '{"odd":1e400,"jsonrpc":"2.0","id":"x","result":{},"big":12345678901234567890}'],
  ])('stay with a %s as they were written', (is, text) => {
    const { value } = read(text)
    expect(value[is].rest).toEqual([
      ['odd', '1e400'],
      ['big', '12345678901234567890'],
    ])
  })
  it('are none where there are none', () => {
    expect(
      read('{"jsonrpc":"2.0","id":1,"method":"ping","params":{"odd":1}}').value.message,
    ).not.toHaveProperty('rest')
  })
})
