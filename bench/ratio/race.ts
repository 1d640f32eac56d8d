/** Laps of several contenders in turn, so that what slows the machine for a while slows all of them. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Clients } from './client/clients.ts'
import type { Lap } from './client/lap.ts'
import type { Contender } from './contender/contender.ts'
import type { Entry, Pace } from './row.ts'
import { rotate } from '../statistics.ts'

type Runner = { readonly entry: Entry; readonly laps: Lap[] }

/** All laps of one contender stand together: what it does after answers falls in its own laps, and in nobody else's. */
type Turn = { readonly contender: Contender; readonly runners: readonly Runner[]; readonly lagMs: number }

/** The laps of each entry, by repeat. A first lap of each is not counted: code is compiled and pools are filled in it. */
export async function race(
  clients: Clients,
  entries: readonly Entry[],
  pace: Pace,
): Promise<ReadonlyMap<Entry, readonly Lap[]>> {
  const runners = entries.map((entry): Runner => ({ entry, laps: [] }))
  const turns = turnsOf(runners, pace)
  const run = ({ contender, work, lanes }: Entry, forMs = pace.forMs): Promise<Lap> =>
    clients.run({ contender, work, lanes, warmMs: pace.warmMs, forMs })
  for (const { entry } of runners) await run(entry)
  await sleep(Math.max(...turns.map(({ lagMs }) => lagMs)))
  for (let repeat = 0; repeat < pace.repeats; repeat++) {
    for (const turn of rotate(turns, repeat)) {
      const [first] = turn.runners
      if (first && turn.lagMs > 0) await run(first.entry, turn.lagMs)
      for (const { entry, laps } of turn.runners) laps.push(await run(entry))
      await sleep(turn.lagMs)
    }
  }
  return new Map(runners.map(({ entry, laps }) => [entry, laps]))
}

/** Nobody waits for what nobody else is disturbed by, nor in the short form. */
export function turnsOf(runners: readonly Runner[], { isQuick }: Pace): readonly Turn[] {
  const contenders = [...new Set(runners.map(({ entry }) => entry.contender))]
  return contenders.map((contender) => {
    const own = runners.filter(({ entry }) => entry.contender === contender)
    const isFollowed = !isQuick && contenders.length > 1 && own.some(({ entry }) => entry.work.is === 'call')
    return { contender, runners: own, lagMs: isFollowed ? contender.lagMs : 0 }
  })
}
