import { describe, expect, it } from 'vitest'
import {
  contextFor,
  contextOf,
  correlationIdOf,
  writeHeaders,
  writeMeta,
} from '../../../src/protocol/context.ts'

const PARENT = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
const OTHER = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00'
const request = (headers: Record<string, string> = {}): Request =>
  new Request('https://gateway.example/mcp', { headers })

describe('the name of a request', () => {
  it('is its caller’s own', () => {
    expect(correlationIdOf(request({ 'x-correlation-id': 'corr-123' }))).toBe('corr-123')
  })

  it.each(['', 'with space', 'a"b', 'é', 'x'.repeat(129), 'a,b'])(
    'is made where the caller says %o, and then stays the same',
    (given) => {
      const asked = request({ 'x-correlation-id': given })
      const id = correlationIdOf(asked)
      expect(id).toMatch(/^[0-9a-f-]{36}$/)
      expect(correlationIdOf(asked)).toBe(id)
      expect(contextOf(undefined, asked).correlationId).toBe(id)
      expect(correlationIdOf(request({ 'x-correlation-id': given }))).not.toBe(id)
    },
  )
})

describe('the trace of a message', () => {
  it('is that of its headers where it says nothing itself', () => {
    const headers = { traceparent: PARENT, tracestate: 'a=1' }
    expect(contextOf({ other: 1 }, request(headers))).toMatchObject({ trace: headers, isGiven: true })
  })

  it('is its own where it says one, and never a mixture', () => {
    const headers = { traceparent: PARENT, tracestate: 'a=1' }
    expect(contextOf({ traceparent: OTHER }, request(headers)).trace).toEqual({ traceparent: OTHER })
  })

  it('is that of its headers where its own is malformed', () => {
    expect(contextOf({ traceparent: 'x' }, request({ traceparent: PARENT })).trace).toEqual({
      traceparent: PARENT,
    })
  })

  it('is none where nobody says one: none is begun', () => {
    expect(contextOf(undefined, request())).toMatchObject({ trace: {}, isGiven: false })
    expect(contextOf({ progressToken: 1 }, request({ traceparent: 'x' }))).toMatchObject({
      trace: {},
      isGiven: false,
    })
  })
})

describe('baggage', () => {
  it('of the message is for whoever answers it', () => {
    const context = contextOf({ baggage: 'a=1' }, request({ baggage: 'b=2' }))
    for (const isTrusted of [true, false])
      expect(contextFor(context, isTrusted).trace).toEqual({ baggage: 'a=1' })
  })

  it('of the transport goes on to services alone that an operator trusts', () => {
    const context = contextOf(undefined, request({ baggage: 'b=2' }))
    expect(context).toMatchObject({ trace: {}, isGiven: false })
    expect(contextFor(context, false)).toMatchObject({ trace: {}, isGiven: false })
    expect(contextFor(context, true)).toMatchObject({ trace: { baggage: 'b=2' }, isGiven: true })
  })
})

it('what is told in headers is told in `_meta`, in the place of whatever stood there', () => {
  const context = contextOf({ traceparent: PARENT }, request({ 'x-correlation-id': 'c' }))
  const headers = new Headers({ traceparent: 'malformed', accept: 'x' })
  writeHeaders(headers, context)
  expect(Object.fromEntries(headers)).toEqual({ accept: 'x', 'x-correlation-id': 'c', traceparent: PARENT })
  const meta = new Map([
    ['traceparent', '"malformed"'],
    ['tracestate', '5'],
    ['switchyard/correlationId', '"another"'],
    ['progressToken', '1.50'],
  ])
  writeMeta(meta, context)
  expect(Object.fromEntries(meta)).toEqual({
    progressToken: '1.50',
    traceparent: JSON.stringify(PARENT),
    'switchyard/correlationId': '"c"',
  })
})
