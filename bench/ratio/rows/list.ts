/** `tools/list` of ten services, beside a Worker that knows nothing but the bytes of its answer. */
import type { Work } from '../client/lap.ts'
import type { Contender } from '../contender/contender.ts'
import { lessIsBetter, moreIsBetter } from '../figure.ts'
import { allTools } from '../offer.ts'
import type { Entry, Row } from '../row.ts'

const SERVICES = 10
const TOOLS = 1_000
const CONNECTIONS = [1, 8]
const QUICK_CONNECTIONS = [1]
const GOAL = 0.8

export const list: Row = {
  id: 'list',
  what: `tools/list of ${SERVICES} services with ${TOOLS / SERVICES} tools each`,
  isInQuick: true,
  async run({ ground, pace, race }) {
    const yard = await ground.spread(SERVICES, TOOLS)
    const { text } = await yard.gateway.rpc('tools/list', {})
    const still = await ground.still(text)
    const work: Work = { is: 'list', tools: allTools(yard.offers) }
    const naive = pace.isQuick ? undefined : await ground.naive(yard.upstreams)
    const points = (pace.isQuick ? QUICK_CONNECTIONS : CONNECTIONS).map((lanes) => {
      const enter = (contender: Contender): Entry => ({
        what: 'tools/list',
        contender,
        work,
        lanes,
        at: lanes,
      })
      return {
        lanes,
        own: enter(yard.contender),
        still: enter(still),
        naive: naive && lanes === 1 ? enter(naive) : undefined,
      }
    })
    const lapsOf = await race(
      points.flatMap(({ own, still, naive }) => [own, still, ...(naive ? [naive] : [])]),
    )
    return points.flatMap((point) => {
      const what = `tools/list @ ${point.lanes}`
      const [own, base] = [lapsOf(point.own), lapsOf(point.still)]
      return [
        moreIsBetter(`${what}, ÷ static`, own, base, GOAL),
        lessIsBetter(`${what}, ÷ static`, own, base),
        ...(point.naive ? [moreIsBetter(`${what}, ÷ naive`, own, lapsOf(point.naive), 1)] : []),
      ]
    })
  },
}
