/** `tools/call` through a gateway that knows its caller, asks its guard, and writes down every call. */
import type { Lap, Work } from '../client/lap.ts'
import { type Contender, STORES } from '../contender/contender.ts'
import { type Figure, type Laps, lessIsBetter, medianOf, moreIsBetter } from '../figure.ts'
import { direct, SERVICES } from '../ground.ts'
import { toolNames } from '../offer.ts'
import type { Entry, Row } from '../row.ts'

const CONNECTIONS = [1, 16, 64, 256]
const QUICK_CONNECTIONS = [1, 16]
const GOAL = 0.85
const GOAL_UP_TO = 64
const MOST_READS = 64
const ADDED_P50_MS = 0.15
/** With more, what is slower than bare by an order only queues. */
const MOST_NAIVE = 16

export const call: Row = {
  id: 'call',
  what: 'tools/call, clients of 2025-06-18',
  isInQuick: true,
  async run({ ground, pace, race }) {
    const yard = await ground.plain()
    const upstream = yard.upstreams[SERVICES.plain] ?? ''
    const tools = toolNames(SERVICES.plain, yard.offers)
    const work: Work = { is: 'call', tools, wording: { more: 0, data: 0 }, isModern: false }
    const bare = await ground.bare(upstream)
    const reads = pace.isQuick ? undefined : await ground.reads(upstream)
    const others = pace.isQuick
      ? undefined
      : { naive: await ground.naive([upstream]), past: direct(upstream) }
    const points = (pace.isQuick ? QUICK_CONNECTIONS : CONNECTIONS).map((lanes) => {
      const enter = (contender: Contender): Entry => ({
        what: 'tools/call',
        contender,
        work,
        lanes,
        at: lanes,
      })
      const wide = lanes <= MOST_NAIVE ? others : undefined
      return {
        lanes,
        own: enter(yard.contender),
        bare: enter(bare),
        reads: reads && lanes <= MOST_READS ? enter(reads) : undefined,
        wide: wide && { naive: enter(wide.naive), past: enter(wide.past) },
      }
    })
    const lapsOf = await race(
      points.flatMap(({ own, bare, reads, wide }) => [
        own,
        bare,
        ...(reads ? [reads] : []),
        ...(wide ? [wide.naive, wide.past] : []),
      ]),
    )
    const figures = points.flatMap((point) => {
      const what = `tools/call @ ${point.lanes}`
      const [own, base] = [lapsOf(point.own), lapsOf(point.bare)]
      const told = [
        moreIsBetter(`${what}, ÷ bare`, own, base, point.lanes <= GOAL_UP_TO ? GOAL : undefined),
        lessIsBetter(`${what}, ÷ bare`, own, base),
      ]
      if (point.reads) {
        const reading = lapsOf(point.reads)
        told.push(
          moreIsBetter(`${what}, ÷ reads`, own, reading),
          lessIsBetter(`${what}, ÷ reads`, own, reading),
        )
      }
      if (point.lanes === 1) told.push(addedMs(`p50, ${what}, more than bare`, own, base))
      if (point.wide) told.push(moreIsBetter(`${what}, ÷ naive`, own, lapsOf(point.wide.naive), 1))
      if (point.wide) told.push(moreIsBetter(`${what}, ÷ no gateway`, own, lapsOf(point.wide.past)))
      return told
    })
    return [...figures, storesUs(points.flatMap(({ own }) => lapsOf(own)))]
  },
}

const addedMs = (what: string, own: Laps, bare: Laps): Figure => ({
  what,
  value: medianOf(own, bare, (one, other) => one.p50Ms - other.p50Ms),
  unit: 'ms',
  better: 'less',
  goal: ADDED_P50_MS,
})

/** Over all laps, for what is written down of calls is written many at once, and not in every lap. */
const storesUs = (own: Laps): Figure => ({
  what: "CPU, tools/call, the stores'",
  value: (sumOf(own, ({ cpuMs }) => cpuMs[STORES] ?? 0) * 1_000) / sumOf(own, ({ answers }) => answers),
  unit: 'µs',
  better: 'less',
})

const sumOf = (laps: Laps, measure: (lap: Lap) => number): number =>
  laps.reduce((sum, lap) => sum + measure(lap), 0)
