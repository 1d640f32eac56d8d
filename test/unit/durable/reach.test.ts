import { describe, expect, it } from 'vitest'
import { openReach } from '../../../src/durable/reach.ts'

const fault = (marks: object): Error => Object.assign(new Error('gone'), marks)

/** An object that throws these first, and how often it was asked. */
function objectThat(...faults: unknown[]) {
  const logged: unknown[] = []
  const asked: number[] = []
  const work = async (): Promise<string> => {
    const at = asked.push(asked.length) - 1
    if (at < faults.length) throw faults[at]
    return 'done'
  }
  return { work, logged, asked, reach: openReach((_level, _event, fields) => void logged.push(fields)) }
}

describe('an object that fails', () => {
  it.each([
    ['F43 once, retryably', [fault({ retryable: true })], { ok: true, value: 'done' }, 2],
    [
      'F43 twice, retryably',
      [fault({ retryable: true }), fault({ retryable: true })],
      { ok: false, error: 'lost' },
      2,
    ],
    [
      'F44 from overload',
      [fault({ retryable: true, overloaded: true })],
      { ok: false, error: 'overloaded' },
      1,
    ],
    ['for good', [fault({})], { ok: false, error: 'lost' }, 1],
    [
      'for good, marked as neither',
      [fault({ retryable: false, overloaded: false })],
      { ok: false, error: 'lost' },
      1,
    ],
    ['by throwing what is no error', ['odd'], { ok: false, error: 'lost' }, 1],
  ])('%s: what it is asked again may be asked twice', async (_, faults, expected, times) => {
    const { work, asked, logged, reach } = objectThat(...faults)
    expect(await reach.again(work)).toEqual(expected)
    expect(asked).toHaveLength(times)
    expect(logged).toHaveLength(expected.ok ? 0 : 1)
  })
  it('is asked once where twice could do harm', async () => {
    const { work, asked, logged, reach } = objectThat(fault({ retryable: true }))
    expect(await reach.once(work)).toEqual({ ok: false, error: 'lost' })
    expect(asked).toHaveLength(1)
    expect(logged).toEqual([{ loss: 'lost', error: 'gone' }])
  })
})
