/** L3. Calls whose answers are streams, all open at once. */
import { eventually } from '../../../test/support/gateway.ts'
import { offer } from '../offer.ts'
import type { Sample } from '../plan.ts'
import { streamShot } from '../request.ts'
import { atMost, exactly, none, type Row } from '../row.ts'

const STREAMS = 500
const OPEN_FOR_MS = 60_000
const EVERY_MS = 5_000
const EVENTS = OPEN_FOR_MS / EVERY_MS
const OPENED_WITHIN_MS = 5_000
const HEAP_GROWTH = 1.2

export const streams: Row = {
  id: 'L3',
  what: `${STREAMS} relayed event streams at once for ${OPEN_FOR_MS / 1000} s, an event every ${EVERY_MS / 1000} s`,
  async run({ scale, openInspected }) {
    const { add, heap } = await openInspected()
    const { target, upstream } = await add('service-1')
    upstream.dial.clear()
    const shot = streamShot(target.url, 'service-1__slow', { ms: scale.ms(OPEN_FOR_MS), steps: EVENTS })
    const brief = streamShot(target.url, 'service-1__slow', { ms: 100, steps: EVENTS })
    const load = (count: number) => ({
      kind: 'stream',
      ratePerSecond: (count * 1_000) / OPENED_WITHIN_MS,
      fromMs: 0,
      forMs: OPENED_WITHIN_MS,
    })
    // What stays after the first streams, code and pools, is no growth.
    await offer([{ ...load(scale.count(STREAMS)), shot: brief }])
    const before = await heap.settled()

    const watched = watch(() => upstream.open)
    const samples = await offer([{ ...load(scale.count(STREAMS)), shot }], 2 * scale.ms(OPEN_FOR_MS))
    const most = watched.end()
    await eventually(10_000, () => {
      if (upstream.open > 0) throw new Error('streams are still open')
    }).catch(() => undefined)
    const isWhole = ({ messages, outcome }: Sample): boolean =>
      outcome === 'result' && messages === EVENTS + 1
    return [
      exactly('streams open at once', most, samples.length),
      none(
        `streams without all ${EVENTS} events and their result`,
        samples.filter((sample) => !isWhole(sample)),
      ),
      exactly('still open at the upstream afterwards', upstream.open, 0),
      atMost('heap afterwards ÷ before', (await heap.settled()) / before, HEAP_GROWTH, ''),
    ]
  },
}

/** The most that a count came to. */
function watch(count: () => number): { end(): number } {
  let most = 0
  const timer = setInterval(() => (most = Math.max(most, count())), 20)
  return {
    end() {
      clearInterval(timer)
      return most
    },
  }
}
