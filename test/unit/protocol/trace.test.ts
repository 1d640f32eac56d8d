import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { traceIdOf, traceOfHeaders, traceOfMeta } from '../../../src/protocol/trace.ts'

const PARENT = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
const LONG_STATE = Array.from({ length: 32 }, (_, at) => `v${at}=x`).join(',')

describe('a trace', () => {
  it.each([
    ['of the first version', PARENT],
    ['that is not sampled', PARENT.replace(/01$/, '00')],
    ['of a later version', PARENT.replace(/^00/, '01')],
    ['of a later version that says more', `${PARENT.replace(/^00/, 'cc')}-what-else`],
  ])('%s is taken as it is', (_, traceparent) => {
    expect(traceOfMeta({ traceparent })).toEqual({ traceparent })
    expect(traceOfHeaders(new Headers({ traceparent }))).toEqual({ traceparent })
    expect(traceIdOf({ traceparent })).toBe('4bf92f3577b34da6a3ce929d0e0e4736')
  })

  it.each([
    ['in capitals', PARENT.toUpperCase()],
    ['of the version ff', PARENT.replace(/^00/, 'ff')],
    ['without a trace', PARENT.replace(/4bf9\w+/, '0'.repeat(32))],
    ['without a span', PARENT.replace(/00f067\w+/, '0'.repeat(16))],
    ['of the first version that says more', `${PARENT}-more`],
    ['that is too short', PARENT.slice(0, -1)],
    ['with a line end', `${PARENT}\r\nx-api-key: 1`],
    ['with a line end behind it', `${PARENT}\n`],
    ['that says much more', `01${PARENT.slice(2)}-${'x'.repeat(10_000)}`],
    ['twice', `${PARENT}, ${PARENT}`],
    ['that is no text', 5],
    ['that is an object', { toString: PARENT }],
  ])('%s is none, and then nor is its state', (_, traceparent) => {
    expect(traceOfMeta({ traceparent, tracestate: 'a=1' })).toEqual({})
  })

  it.each([
    ['of one vendor', 'congo=t61rcWkgMzE'],
    ['of several, with gaps', 'a=1 ,, b@c=2,\t,d*/-_=3'],
    ['of as many as there may be', LONG_STATE],
  ])('has a state %s', (_, tracestate) => {
    expect(traceOfMeta({ traceparent: PARENT, tracestate })).toEqual({ traceparent: PARENT, tracestate })
  })

  it.each([
    ['of 10 KB', `a=${'x'.repeat(10_240)}`],
    ['of too many', `${LONG_STATE},z=1`],
    ['without a value', 'a='],
    ['without a key', '=1'],
    ['with a capital key', 'A=1'],
    ['with a line end', 'a=1\r\nb=2'],
    ['with a letter that no header holds', 'a=é'],
    ['that says nothing', ' ,, '],
    ['that is no text', ['a=1']],
  ])('has no state %s, and goes on without', (_, tracestate) => {
    expect(traceOfMeta({ traceparent: PARENT, tracestate })).toEqual({ traceparent: PARENT })
  })
})

describe('baggage', () => {
  it.each(['userId=alice', 'a=1;p=2,b = %C3%A9 ', Array.from({ length: 64 }, (_, at) => `k${at}=v`).join()])(
    '%s is taken as it is, with or without a trace',
    (baggage) => {
      expect(traceOfMeta({ baggage })).toEqual({ baggage })
    },
  )

  it.each([
    ['of 10 KB', `a=${'x'.repeat(10_240)}`],
    ['of too many', Array.from({ length: 65 }, (_, at) => `k${at}=v`).join()],
    ['without a name', '=1'],
    ['without a value', 'a'],
    ['with a quote', 'a="1"'],
    ['with a line end', 'a=1\nb=2'],
  ])('%s is none', (_, baggage) => {
    expect(traceOfMeta({ baggage })).toEqual({})
  })
})

it('S47 whatever is said, what is taken fits into a header', () => {
  const odd = fc.oneof(
    fc.string({ unit: fc.constantFrom(...'\r\n\0\t ,;=-"é0af') }),
    fc.constant(PARENT),
    fc.constant(`a=${' '.repeat(50_000)}`),
    fc.constant(`${'a=1 ,'.repeat(20_000)}`),
    fc.constant(`k${' '.repeat(4_000)}=${' '.repeat(4_000)}"`),
    fc.jsonValue(),
  )
  fc.assert(
    fc.property(odd, odd, odd, (traceparent, tracestate, baggage) => {
      const trace = traceOfMeta({ traceparent, tracestate, baggage })
      for (const value of Object.values(trace)) expect(value).toMatch(/^[\t -~]{1,8192}$/)
      expect(() => new Headers({ ...trace })).not.toThrow()
    }),
  )
})
