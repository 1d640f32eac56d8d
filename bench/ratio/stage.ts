/** Runs rows: what they race is said, and kept. */
import type { Clients } from './client/clients.ts'
import { perSecond, type Told } from './figure.ts'
import type { Ground } from './ground.ts'
import { race } from './race.ts'
import { brief } from './report.ts'
import type { Pace, Row, Sample, Stage } from './row.ts'
import { median } from '../statistics.ts'

export class Runner {
  /** All laps so far. */
  readonly samples: Sample[] = []
  /** Why rows could not be measured. */
  readonly faults: string[] = []
  readonly #ground: Ground
  readonly #pace: Pace
  readonly #clients: Clients

  constructor(ground: Ground, pace: Pace, clients: Clients) {
    this.#ground = ground
    this.#pace = pace
    this.#clients = clients
  }

  /** Nothing of a row that fails, as with the first wrong answer; the others go on. */
  async run(row: Row): Promise<readonly Told[]> {
    const startedAt = performance.now()
    console.log(`${row.id}: ${row.what}`)
    try {
      const figures = await row.run(this.#stageOf(row))
      console.log(`  ${((performance.now() - startedAt) / 1_000).toFixed(1)} s`)
      return figures.map((figure) => ({ row: row.id, ...figure }))
    } catch (error) {
      const fault = `${row.id} could not be measured: ${error instanceof Error ? error.message : String(error)}`
      console.error(`  ${fault}`)
      this.faults.push(fault)
      return []
    }
  }

  #stageOf(row: Row): Stage {
    return {
      ground: this.#ground,
      pace: this.#pace,
      race: async (entries) => {
        const all = await race(this.#clients, entries, this.#pace)
        for (const [{ what, contender, at, lanes }, laps] of all) {
          this.samples.push({ row: row.id, what, contender: contender.name, at, lanes, laps })
          console.log(`  ${what} @ ${at}, ${contender.name}: ${brief(median(laps.map(perSecond)))}/s`)
        }
        return (entry) => all.get(entry) ?? []
      },
    }
  }
}
