/** Calls of one kind or another, each compared with the same through the bare Worker, and one that reads what passes. */
import type { Work } from '../client/lap.ts'
import type { Contender } from '../contender/contender.ts'
import { lessIsBetter, moreIsBetter } from '../figure.ts'
import { type Ground, SERVICES } from '../ground.ts'
import { toolNames, type Wording } from '../offer.ts'
import type { Entry, Row } from '../row.ts'

type Point = {
  readonly what: string
  readonly service: keyof typeof SERVICES
  readonly lanes: number
  /** What varies: connections, or bytes. */
  readonly at: number
  readonly isInQuick: boolean
  readonly wording?: Partial<Wording>
  readonly isModern?: boolean
  /** Absent: told, and no more. */
  readonly goal?: number
}

const MIB = 1_048_576
const SMALL = { lanes: 16, at: 16, isInQuick: true } as const
/** What is large fills both cores with few. */
const LARGE = { service: 'plain', lanes: 4 } as const

const POINTS: readonly Point[] = [
  { ...SMALL, what: 'client and upstream of 2026-07-28', service: 'plain', isModern: true },
  { ...SMALL, what: 'answered by event stream', service: 'stream', goal: 0.8 },
  { ...SMALL, what: 'upstream demands a session', service: 'session', goal: 0.8 },
  { ...SMALL, what: 'service has a rate limit', service: 'limited', goal: 0.85, isInQuick: false },
  { ...LARGE, what: 'answer of 1 MiB', at: MIB, wording: { more: MIB }, goal: 0.95, isInQuick: true },
  ...[1_000, 30_000, 1_000_000].map((data): Point => {
    return { ...LARGE, what: 'arguments in bytes', at: data, wording: { data }, isInQuick: false }
  }),
]

export const kind: Row = {
  id: 'kind',
  what: 'tools/call, by who calls, what is called and how much is said',
  isInQuick: true,
  async run({ ground, pace, race }) {
    const groups = []
    for (const point of POINTS.filter(({ isInQuick }) => isInQuick || !pace.isQuick))
      groups.push(await enterAll(point, ground, pace.isQuick))
    const lapsOf = await race(groups.flatMap(({ own, bases }) => [own, ...bases]))
    return groups.flatMap(({ own, bases, goal }) =>
      bases.flatMap((base) => {
        const { name } = base.contender
        const what = `${own.what} @ ${own.at}, ÷ ${name}`
        return [
          moreIsBetter(what, lapsOf(own), lapsOf(base), name === 'bare' ? goal : undefined),
          lessIsBetter(what, lapsOf(own), lapsOf(base)),
        ]
      }),
    )
  },
}

async function enterAll(point: Point, ground: Ground, isQuick: boolean) {
  const { what, service, lanes, at, wording, isModern = false, goal, isInQuick } = point
  const yard = await ground.plain()
  const place = SERVICES[service]
  const upstream = yard.upstreams[place] ?? ''
  const tools = toolNames(place, yard.offers)
  const work: Work = { is: 'call', tools, wording: { more: 0, data: 0, ...wording }, isModern }
  const enter = (contender: Contender): Entry => ({ what, contender, work, lanes, at })
  // The run has five minutes: what is no kind of its own is compared with one Worker alone.
  const isRead = isInQuick && !isQuick
  const bases = [await ground.bare(upstream), ...(isRead ? [await ground.reads(upstream)] : [])]
  return { own: enter(yard.contender), bases: bases.map(enter), goal }
}
