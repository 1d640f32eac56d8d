/** L4. An upstream that sends its answers byte by byte must not be felt by the others, and not be endured for ever. */
import { byKind, percentile, type Sample } from '../plan.ts'
import { offer } from '../offer.ts'
import { callShot, mixed } from '../request.ts'
import { atMost, none, type Row } from '../row.ts'
import { addServices } from './steady.ts'

const SLOW = 100
const RATE = 100
const LIMIT_MS = 30_000
const SLOW_WITHIN_MS = 2_000
/** From its limit until the end of a call is told. */
const TOLD_WITHIN_MS = 2_000
const TIMED_OUT = -31504
const GROWTH = 1.5

export const slowUpstream: Row = {
  id: 'L4',
  what: `${SLOW} answers at 1 byte/s from one service beside ${RATE} requests/s to five others`,
  async run({ scale, open }) {
    const yard = await open()
    const targets = (await addServices(yard)).map(({ target }) => target)
    const limitMs = scale.ms(LIMIT_MS)
    const slow = await yard.add('slow', { timeoutMs: limitMs })
    slow.upstream.dial.clear()
    slow.upstream.dial.set({ is: 'drip', for: 'tools/call' })

    const span = { ratePerSecond: scale.rate(RATE), fromMs: 0, forMs: limitMs + SLOW_WITHIN_MS }
    const load = {
      kind: 'slow',
      shot: callShot(slow.target.url, slow.target.tool),
      ratePerSecond: (scale.count(SLOW) * 1_000) / SLOW_WITHIN_MS,
      fromMs: 0,
      forMs: SLOW_WITHIN_MS,
    }
    const before = await offer(mixed(targets, span))
    const samples = await offer([...mixed(targets, span), load])
    const ratio = healthyP99(samples) / healthyP99(before)
    const slowOnes = byKind(samples, 'slow')
    const isCut = ({ code, tookMs }: Sample): boolean =>
      code === TIMED_OUT && tookMs <= limitMs + TOLD_WITHIN_MS
    return [
      atMost('p99 of the others ÷ without the slow ones', ratio, scale.bound(GROWTH), ''),
      none(
        `slow ones not cut at ${limitMs / 1000} s`,
        slowOnes.filter((sample) => !isCut(sample)),
      ),
    ]
  },
}

const healthyP99 = (samples: readonly Sample[]): number => percentile(byKind(samples, 'call', 'read'), 99)
