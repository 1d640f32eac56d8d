/** L9. Eight isolates share one limit, each with four times more to do than its part. */
import { offer } from '../offer.ts'
import type { Load, Sample } from '../plan.ts'
import { callShot } from '../request.ts'
import { none, type Row } from '../row.ts'

const ISOLATES = 8
const PER_MINUTE = 6_000
const BURST = 100
const OVERLOAD = 4
const FOR_MS = 60_000
const LEAST_SHARE = 0.98
const RATE_LIMITED = -31429

export const limiter: Row = {
  id: 'L9',
  what: `${OVERLOAD} times the limit of ${PER_MINUTE} calls/min for ${FOR_MS / 1000} s, by ${ISOLATES} clients on ${ISOLATES} isolates`,
  async run({ scale, open }) {
    const { add, endpoints } = await open({ isolates: ISOLATES })
    const rateLimit = { requestsPerMinute: scale.count(PER_MINUTE), burstLimit: scale.count(BURST) }
    const { target, upstream } = await add('service-1', { rateLimit })
    const perSecond = rateLimit.requestsPerMinute / 60
    const forMs = scale.ms(FOR_MS)
    const loads = endpoints.map((url): Load => {
      const ratePerSecond = (OVERLOAD * perSecond) / endpoints.length
      return { kind: 'call', shot: callShot(url, target.tool), ratePerSecond, fromMs: 0, forMs }
    })
    const samples = await offer(loads)
    const admitted = upstream.calls('tools/call')
    const isExpected = ({ outcome, code }: Sample): boolean => outcome === 'result' || code === RATE_LIMITED
    // What waits for its turn on a busy machine comes a little after its time, and tokens go on coming.
    const lastedMs = Math.max(forMs, (admitted.at(-1)?.at ?? 0) - (admitted[0]?.at ?? 0))
    const least = Math.floor((LEAST_SHARE * perSecond * forMs) / 1_000)
    const most = Math.ceil((perSecond * lastedMs) / 1_000) + rateLimit.burstLimit
    return [
      {
        what: 'calls that reached the upstream',
        figure: String(admitted.length),
        target: `${least} to ${most}`,
        holds: admitted.length >= least && admitted.length <= most,
      },
      none(
        'neither admitted nor told to come again',
        samples.filter((sample) => !isExpected(sample)),
      ),
    ]
  },
}
