/** L2. Past what one machine can carry: nothing may break, and the way back is short. */
import { byKind, percentile, type Sample } from '../plan.ts'
import { offer } from '../offer.ts'
import { mixed } from '../request.ts'
import { atMost, none, type Row, told } from '../row.ts'
import { addServices, direct, P99_MS } from './steady.ts'

const CALM_RATE = 30
const SPIKE_RATE = 600
const CALM_MS = 10_000
const SPIKE_MS = 5_000
/** After the spike, until latencies are again as in L1. */
const RECOVERY_MS = 5_000
const CLEAN = [200, 429, 503]

export const spike: Row = {
  id: 'L2',
  what: `${CALM_RATE} requests/s, ${SPIKE_RATE} for ${SPIKE_MS / 1000} s, ${CALM_RATE} again`,
  async run({ scale, open }) {
    const services = await addServices(await open())
    const targets = services.map(({ target }) => target)
    const spikeEndMs = CALM_MS + SPIKE_MS
    const forMs = spikeEndMs + RECOVERY_MS + CALM_MS
    const calm = { ratePerSecond: scale.rate(CALM_RATE), fromMs: 0, forMs }
    const more = {
      ratePerSecond: scale.rate(SPIKE_RATE - CALM_RATE),
      fromMs: CALM_MS,
      forMs: SPIKE_MS,
    }
    const samples = await offer([...mixed(targets, calm), ...mixed(targets, more), ...direct(services, calm)])
    const through = byKind(samples, 'call', 'read')
    const during = through.filter(({ dueMs }) => dueMs >= CALM_MS && dueMs < spikeEndMs)
    const isAfter = ({ dueMs }: Sample): boolean => dueMs >= spikeEndMs + RECOVERY_MS
    const addedMs =
      percentile(through.filter(isAfter), 99) - percentile(byKind(samples, 'direct').filter(isAfter), 99)
    const unclean = samples.filter(({ status }) => !CLEAN.includes(status))
    return [
      none(`answers other than ${CLEAN.join(', ')}`, unclean),
      told('during the spike, calls and reads p99', percentile(during, 99), 'ms'),
      atMost(`added p99 from ${RECOVERY_MS / 1000} s after it on`, addedMs, scale.bound(P99_MS), 'ms'),
    ]
  },
}
