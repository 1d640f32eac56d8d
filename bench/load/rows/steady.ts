/**
 * L1. What the gateway adds is told by calls to the same upstreams past it, in between the others: percentile
 * minus percentile. A list never goes to an upstream, so all of its time is the gateway's.
 */
import { byKind, failed, type Load, percentile, type Sample } from '../plan.ts'
import { offer } from '../offer.ts'
import { callShot, mixed, type Span } from '../request.ts'
import { atMost, type Figure, none, type Row, type Scale } from '../row.ts'
import type { Service, Yard } from '../yard.ts'

const RATE = 300
const FOR_MS = 60_000
const DIRECT_RATE = 30
const WARM_UP_MS = 3_000
const P50_MS = 5
export const P99_MS = 40

export const steady: Row = {
  id: 'L1',
  what: `${RATE} requests/s for ${FOR_MS / 1000} s: 70 % tools/call, 20 % tools/list, 10 % resources/read`,
  async run({ scale, open }) {
    const services = await addServices(await open())
    const targets = services.map(({ target }) => target)
    await offer(mixed(targets, { ratePerSecond: scale.rate(RATE), fromMs: 0, forMs: WARM_UP_MS }))
    const span = { ratePerSecond: scale.rate(RATE), fromMs: 0, forMs: scale.ms(FOR_MS) }
    const samples = await offer([...mixed(targets, span), ...direct(services, span)])
    return [...added(samples, scale), none('answers that are no result', failed(samples))]
  },
}

/** Five services, as a small installation has them. */
export async function addServices(yard: Yard, settings: object = {}): Promise<Service[]> {
  const services: Service[] = []
  for (let at = 1; at <= 5; at++) services.push(await yard.add(`service-${at}`, settings))
  return services
}

/** Calls past the gateway, of kind `direct`: enough of them for a percentile. */
export function direct(services: readonly Service[], span: Pick<Span, 'fromMs' | 'forMs'>): Load[] {
  const ratePerSecond = DIRECT_RATE / services.length
  return services.map(({ direct: { url, tool } }) => {
    return { ...span, kind: 'direct', shot: callShot(url, tool, { text: 'hi' }), ratePerSecond }
  })
}

/** What the gateway adds to calls and reads, and the whole of lists. */
export function added(samples: readonly Sample[], scale: Scale): Figure[] {
  const through = byKind(samples, 'call', 'read')
  const past = byKind(samples, 'direct')
  const lists = byKind(samples, 'list')
  const addedAt = (percent: number): number => percentile(through, percent) - percentile(past, percent)
  return [
    atMost('calls and reads, added p50', addedAt(50), scale.bound(P50_MS), 'ms'),
    atMost('calls and reads, added p99', addedAt(99), scale.bound(P99_MS), 'ms'),
    atMost('lists, p50', percentile(lists, 50), scale.bound(P50_MS), 'ms'),
    atMost('lists, p99', percentile(lists, 99), scale.bound(P99_MS), 'ms'),
  ]
}
