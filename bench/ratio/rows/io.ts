/**
 * Whether a warm call waits for anybody but its upstream: while each store answers late, no call may. What is written
 * down for calls, and the look whether the registry changed, are asked of the stores beside them.
 */
import type { Work } from '../client/lap.ts'
import type { Yard } from '../contender/yard.ts'
import { SERVICES } from '../ground.ts'
import { toolNames } from '../offer.ts'
import type { Row } from '../row.ts'

const STORES_LATE_MS = 400
const LANES = 8

export const io: Row = {
  id: 'io',
  what: `tools/call while each request at a store takes ${STORES_LATE_MS} ms`,
  isInQuick: false,
  async run({ ground, race }) {
    const yard = await ground.plain()
    const tools = toolNames(SERVICES.plain, yard.offers)
    const work: Work = { is: 'call', tools, wording: { more: 0, data: 0 }, isModern: false }
    const entry = { what: 'stores late', contender: yard.contender, work, lanes: LANES, at: STORES_LATE_MS }
    // On time at first: they bring to memory what calls need.
    await race([{ ...entry, what: 'stores on time', at: 0 }])
    const before = await countsOf(yard)
    await yard.stores.ask(`delay?ms=${STORES_LATE_MS}`)
    const lapsOf = await race([entry]).finally(() => yard.stores.ask('delay?ms=0'))
    const after = await countsOf(yard)
    const slowestMs = Math.max(...lapsOf(entry).map(({ mostMs }) => mostMs))
    const perCall = (after.stores - before.stores) / (after.upstreams - before.upstreams)
    return [
      {
        what: 'slowest call ÷ one request at a store',
        value: slowestMs / STORES_LATE_MS,
        unit: '',
        better: 'less',
        goal: 1,
      },
      { what: 'requests at the stores beside a call', value: perCall, unit: '', better: 'less' },
    ]
  },
}

async function countsOf({
  stores,
  upstreamPart,
}: Yard): Promise<Readonly<Record<'stores' | 'upstreams', number>>> {
  const [own, others] = await Promise.all([stores.ask('count'), upstreamPart.ask('count')])
  return { stores: own['requests'] ?? Number.NaN, upstreams: others['requests'] ?? Number.NaN }
}
