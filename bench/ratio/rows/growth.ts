/** The same tools behind more and more services: what a list and a call cost must not grow with them. */
import type { Work } from '../client/lap.ts'
import { allTools } from '../offer.ts'
import { type Figure, type Laps, lessIsBetter } from '../figure.ts'
import type { Entry, Row } from '../row.ts'

const SERVICES = [1, 10, 100] as const
const TOOLS = 1_000
const LANES = 8
const GOAL = 1.1

export const growth: Row = {
  id: 'growth',
  what: `${TOOLS} tools behind ${SERVICES.join(', ')} services`,
  isInQuick: false,
  async run({ ground, race }) {
    const listed: Entry[] = []
    const called: Entry[] = []
    const naive: Entry[] = []
    for (const at of SERVICES) {
      const yard = await ground.spread(at, TOOLS)
      const tools = allTools(yard.offers)
      const list: Work = { is: 'list', tools }
      const call: Work = { is: 'call', tools, wording: { more: 0, data: 0 }, isModern: false }
      const entry = { what: 'tools/list', contender: yard.contender, work: list, lanes: 1, at }
      listed.push(entry)
      called.push({ ...entry, what: 'tools/call', work: call, lanes: LANES })
      naive.push({ ...entry, contender: await ground.naive(yard.upstreams) })
    }
    const lists = await race([...listed, ...naive])
    const calls = await race(called)
    return [
      ...growthOf('tools/list', listed.map(lists), GOAL),
      ...growthOf('tools/call', called.map(calls), GOAL),
      ...growthOf('tools/list of the naive gateway', naive.map(lists)),
    ]
  },
}

/** What more services cost, ÷ the cost of one. */
function growthOf(what: string, [base = [], ...others]: readonly Laps[], goal?: number): Figure[] {
  const [, ...services] = SERVICES
  return others.flatMap((laps, at) => {
    const name = `${what}, ${services[at]} services ÷ 1`
    return [lessIsBetter(name, laps, base, goal), lessIsBetter(name, laps, base, goal, ({ p50Ms }) => p50Ms)]
  })
}
