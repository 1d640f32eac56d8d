/** Runs one lap: so many clients at once, each with its next request as soon as its last is answered. */
import { cpuMsOf } from '../../process.ts'
import { percentileOf } from '../../statistics.ts'
import { ListCheck } from './check.ts'
import { type Lane, openLane } from './lane.ts'
import type { Lap, LapPlan } from './lap.ts'

/** So long may an answer take. */
const PATIENCE_MS = 20_000

type Phase = 'warm' | 'counted' | 'over'

/** Rejects on the first wrong answer. */
export async function runLap(plan: LapPlan): Promise<Lap> {
  const { contender, work } = plan
  const list = new ListCheck(work.is === 'list' ? work.tools : [])
  const opening = Array.from({ length: plan.lanes }, (_, at) => openLane(plan, list, at))
  try {
    return await measure(plan, await inTime(Promise.all(opening)))
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new Error(`${contender.name}, ${work.is} over ${plan.lanes} connections: ${reason}`, {
      cause: error,
    })
  } finally {
    for (const lane of opening)
      lane.then(
        ({ close }) => close(),
        () => undefined,
      )
  }
}

/** Counts for so long as the plan says, and on until there is one answer. */
async function measure({ contender, warmMs, forMs }: LapPlan, lanes: readonly Lane[]): Promise<Lap> {
  const took: number[] = []
  const first = Promise.withResolvers<void>()
  let phase: Phase = 'warm'
  const run = async ({ turn }: Lane): Promise<void> => {
    while (isRunning(phase)) {
      const askedAt = performance.now()
      await turn()
      if (phase !== 'counted') continue
      took.push(performance.now() - askedAt)
      first.resolve()
    }
  }
  const running = Promise.all(lanes.map(run))
  try {
    await Promise.race([after(warmMs), running])
    const before = readProcesses(contender.processes)
    const startedAt = performance.now()
    phase = 'counted'
    await inTime(Promise.race([Promise.all([after(forMs), first.promise]), running]))
    phase = 'over'
    const tookMs = performance.now() - startedAt
    const cpuMs = subtract(readProcesses(contender.processes), before)
    await inTime(running)
    const at = percentileOf(took)
    return { answers: took.length, tookMs, p50Ms: at(50), p99Ms: at(99), mostMs: at(100), cpuMs }
  } finally {
    phase = 'over'
  }
}

const isRunning = (phase: Phase): boolean => phase !== 'over'

type Readings = Readonly<Record<string, number>>

const readProcesses = (processes: Readings): Readings =>
  Object.fromEntries(Object.entries(processes).map(([name, pid]) => [name, cpuMsOf(pid)]))

const subtract = (now: Readings, before: Readings): Readings =>
  Object.fromEntries(Object.entries(now).map(([name, value]) => [name, value - (before[name] ?? 0)]))

const after = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms).unref())

const inTime = <T>(answers: Promise<T>): Promise<T> =>
  Promise.race([answers, after(PATIENCE_MS).then(giveUp)])

function giveUp(): never {
  throw new Error(`an answer took more than ${PATIENCE_MS / 1_000} s`)
}
