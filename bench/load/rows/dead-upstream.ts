/** L7. One of five upstreams takes requests and never answers: its circuit opens, and nobody else notices. */
import { failed, percentile, type Sample } from '../plan.ts'
import { offer } from '../offer.ts'
import { mixed, type Span } from '../request.ts'
import { atMost, none, type Row } from '../row.ts'
import type { Service } from '../yard.ts'
import { addServices } from './steady.ts'

const RATE = 300
const ALIVE_MS = 20_000
const DEAD_MS = 40_000
const LIMIT_MS = 10_000
/** From its limit until the end of a call is told. */
const TOLD_WITHIN_MS = 1_000
const REFUSED_WITHIN_MS = 5
const GROWTH = 1.5
const TIMED_OUT = -31504
const CIRCUIT_OPEN = -31523

export const deadUpstream: Row = {
  id: 'L7',
  what: `${RATE} requests/s over five services, one of which stops answering`,
  async run({ scale, open }) {
    const limitMs = scale.ms(LIMIT_MS)
    const services = await addServices(await open(), { timeoutMs: limitMs })
    const offerFor = (wholeMs: number): Promise<readonly Sample[]> =>
      offer(loads(services, { ratePerSecond: scale.rate(RATE), fromMs: 0, forMs: scale.ms(wholeMs) }))
    const before = await offerFor(ALIVE_MS)
    const [dead] = services
    dead?.upstream.dial.clear()
    dead?.upstream.dial.set({ is: 'silent' })
    const samples = await offerFor(DEAD_MS)

    const deadOnes = samples.filter(({ kind }) => kind === dead?.name)
    const refused = deadOnes.filter(({ code }) => code === CIRCUIT_OPEN)
    const isLate = ({ tookMs }: Sample): boolean => tookMs > limitMs + TOLD_WITHIN_MS
    const isKnown = ({ code }: Sample): boolean => code === TIMED_OUT || code === CIRCUIT_OPEN
    const isOfOthers = ({ kind }: Sample): boolean => kind !== dead?.name
    const ratio = percentile(samples.filter(isOfOthers), 99) / percentile(before.filter(isOfOthers), 99)
    return [
      none(`its calls that took longer than ${limitMs / 1000} s`, deadOnes.filter(isLate)),
      none(
        'its calls that were answered otherwise',
        deadOnes.filter((sample) => !isKnown(sample)),
      ),
      atMost('its calls once the circuit is open, p50', percentile(refused, 50), REFUSED_WITHIN_MS, 'ms'),
      atMost('p99 of the others ÷ before', ratio, scale.bound(GROWTH), ''),
      none('answers of the others that are no result', failed(samples.filter(isOfOthers))),
    ]
  },
}

/** The mixed load, with what goes to an upstream told apart by its service. */
const loads = (services: readonly Service[], span: Span) =>
  services.flatMap(({ name, target }) =>
    mixed([target], { ...span, ratePerSecond: span.ratePerSecond / services.length }).map((load) =>
      load.kind === 'list' ? load : { ...load, kind: name },
    ),
  )
