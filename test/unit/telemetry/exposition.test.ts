import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Metric, writeExposition } from '../../../src/telemetry/exposition.ts'
import { readExposition } from '../../support/exposition.ts'

const gauge = (samples: Metric['samples'], help = 'Some.'): Metric =>
  ({ name: 'heat', help, type: 'gauge', samples }) as Metric

describe('the exposition', () => {
  it('is that of the format, line for line', () => {
    const text = writeExposition([
      {
        name: 'calls_total',
        help: 'Calls.',
        type: 'counter',
        samples: [{ labels: { service: 'a' }, value: 3 }],
      },
      { name: 'up', help: 'Whether.', type: 'gauge', samples: [{ value: 1 }] },
      {
        name: 'call_seconds',
        help: 'How long.',
        type: 'histogram',
        samples: [
          {
            labels: { service: 'a' },
            buckets: [
              { upTo: 0.1, count: 1 },
              { upTo: 2.5, count: 2 },
            ],
            count: 3,
            sum: 7.25,
          },
        ],
      },
    ])
    expect(text).toBe(`# HELP calls_total Calls.
# TYPE calls_total counter
calls_total{service="a"} 3
# HELP up Whether.
# TYPE up gauge
up 1
# HELP call_seconds How long.
# TYPE call_seconds histogram
call_seconds_bucket{service="a",le="0.1"} 1
call_seconds_bucket{service="a",le="2.5"} 2
call_seconds_bucket{service="a",le="+Inf"} 3
call_seconds_sum{service="a"} 7.25
call_seconds_count{service="a"} 3
`)
    expect(readExposition(text)).toHaveLength(3)
  })

  it('leaves out what there is none of', () => {
    expect(writeExposition([gauge([])])).toBe('')
  })

  it('S61 is read as it was meant, whatever labels, help texts and numbers hold', () => {
    const odd = fc.oneof(fc.string({ unit: 'binary' }), fc.constant('a\\n"}\n# TYPE x counter\nx_total 9'))
    const value = fc.oneof(fc.double(), fc.integer(), fc.constantFrom(1e21, 1e-7, -0, Infinity, Number.NaN))
    fc.assert(
      fc.property(odd, odd, value, fc.string({ minLength: 1 }), (one, other, number, help) => {
        const labels = { one, other }
        const [family, ...rest] = readExposition(writeExposition([gauge([{ labels, value: number }], help)]))
        expect(rest).toEqual([])
        expect(family?.help).toBe(help)
        expect(family?.series).toEqual([
          { name: 'heat', labels, value: number === 0 ? expect.closeTo(0) : number },
        ])
      }),
    )
  })
})

describe('the reader that tests of figures rely on', () => {
  const counter = '# HELP a_total x\n# TYPE a_total counter\n'
  const histogram = '# HELP h x\n# TYPE h histogram\n'
  it.each([
    ['a line without its end', `${counter}a_total 1`],
    ['a counter of another name', '# HELP a x\n# TYPE a counter\na 1\n'],
    ['a series without its type', '# HELP a_total x\na_total 1\n'],
    ['a series of another family', `${counter}b_total 1\n`],
    ['a series twice', `${counter}a_total{x="1"} 1\na_total{x="1"} 2\n`],
    ['a family twice', `${counter}a_total 1\n${counter}`],
    ['a label that does not end', `${counter}a_total{x="1} 1\n`],
    ['a quote that is not escaped', `${counter}a_total{x="a"b"} 1\n`],
    ['no number', `${counter}a_total one\n`],
    ['a count below zero', `${counter}a_total -1\n`],
    ['buckets without +Inf', `${histogram}h_bucket{le="1"} 1\nh_sum 1\nh_count 1\n`],
    ['buckets that fall', `${histogram}h_bucket{le="1"} 2\nh_bucket{le="+Inf"} 1\nh_sum 1\nh_count 1\n`],
    ['a histogram without its sum', `${histogram}h_bucket{le="+Inf"} 1\nh_count 1\n`],
  ])('refuses %s', (_, text) => {
    expect(() => readExposition(text)).toThrow()
  })
})
