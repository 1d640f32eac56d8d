/** In what order the contenders of `npm run bench` run their laps, and what is counted of them. */
import { expect, it } from 'vitest'
import type { Clients } from '../../../bench/ratio/client/clients.ts'
import type { LapPlan } from '../../../bench/ratio/client/lap.ts'
import type { Contender } from '../../../bench/ratio/contender/contender.ts'
import { race } from '../../../bench/ratio/race.ts'
import type { Entry, Pace } from '../../../bench/ratio/row.ts'

const PACE: Pace = { isQuick: false, warmMs: 1, forMs: 100, repeats: 2 }

const contender = (name: string, lagMs = 0): Contender => ({
  name,
  url: 'http://127.0.0.1:1/mcp',
  headers: {},
  isGreeted: true,
  lagMs,
  processes: {},
})

const enter = (by: Contender, at: number, is: 'call' | 'list' = 'call'): Entry => {
  const tools = ['any']
  const work = is === 'list' ? { is, tools } : { is, tools, wording: { more: 0, data: 0 }, isModern: false }
  return { what: is, contender: by, work, lanes: at, at }
}

/** Answers the lap's own place among all of them, and remembers who ran for how long. */
function openFake(): Clients & { readonly ran: string[] } {
  const ran: string[] = []
  return {
    ran,
    run: async ({ contender: { name }, lanes, forMs }: LapPlan) => {
      ran.push(`${name}@${lanes}${forMs === PACE.forMs ? '' : ` ${forMs}`}`)
      return { answers: ran.length - 1, tookMs: 1, p50Ms: 1, p99Ms: 1, mostMs: 1, cpuMs: {} }
    },
    close: async () => undefined,
  }
}

it('all laps of a contender stand together, in an order that rotates, after one of each that does not count', async () => {
  const clients = openFake()
  const [own, bare] = [contender('own'), contender('bare')]
  const entries = [enter(own, 1), enter(bare, 1), enter(own, 16), enter(bare, 16)]
  const laps = await race(clients, entries, PACE)
  const first = ['own@1', 'bare@1', 'own@16', 'bare@16']
  const repeats = ['own@1', 'own@16', 'bare@1', 'bare@16', 'bare@1', 'bare@16', 'own@1', 'own@16']
  expect(clients.ran).toEqual([...first, ...repeats])
  const places = entries.map((entry) => laps.get(entry)?.map(({ answers }) => answers))
  expect(places).toEqual([
    [4, 10],
    [6, 8],
    [5, 11],
    [7, 9],
  ])
})

it('who is busy with calls after their answers is so in its own laps, and waited for before the next', async () => {
  const clients = openFake()
  const startedAt = performance.now()
  await race(clients, [enter(contender('own', 40), 1), enter(contender('bare'), 1)], PACE)
  expect(clients.ran).toEqual([
    'own@1',
    'bare@1',
    'own@1 40',
    'own@1',
    'bare@1',
    'bare@1',
    'own@1 40',
    'own@1',
  ])
  // Once after the laps that do not count, and once in each repeat.
  expect(performance.now() - startedAt).toBeGreaterThan(115)
})

it.each([
  ['in the short form', [enter(contender('own', 40), 1), enter(contender('bare'), 1)], true],
  ['where nobody else is disturbed', [enter(contender('own', 40), 1)], false],
  ['of lists', [enter(contender('own', 40), 1, 'list'), enter(contender('bare'), 1, 'list')], false],
])('nobody is waited for %s', async (_, entries, isQuick) => {
  const clients = openFake()
  await race(clients, entries, { ...PACE, isQuick })
  expect(clients.ran.filter((lap) => lap.includes(' '))).toEqual([])
})
