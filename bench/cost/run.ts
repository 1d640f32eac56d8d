/**
 * `npm run bench:cost`: what it costs to know the caller. The same call by callers of several kinds, in short turns and
 * in an order by lot, at one gateway; the processor time of its process per call over all turns, and what it is more
 * than for an open call. Throughput is the median of ratios within a round. Linux only.
 */
import { runProgram } from '../../local/program.ts'
import { buildBundle } from '../../local/workerd.ts'
import { openYard } from '../load/yard.ts'
import { burst } from './burst.ts'
import { type Caller, callersOf } from './caller.ts'
import { cpuMsOf } from './cpu.ts'

const ROUNDS = 100
/** Short, so that what slows the machine for a while slows all callers alike. */
const CALLS = { calls: 300, atOnce: 8 } as const
const MOST_ADDED_US = 40

type Rounds = readonly ReadonlyMap<Caller, Cost>[]
type Cost = { readonly cpuUs: number; readonly tookUs: number }

await runProgram(async (program) => {
  const yard = await openYard(await buildBundle(), { settings: { MCP_AUTH: 'open' } })
  program.keep(yard)
  const service = await yard.add('service-1')
  service.upstream.dial.clear()
  const callers = await callersOf(yard, service)
  const measure = async ({ shot }: Caller): Promise<Cost> => {
    const before = await cpuMsOf(yard.pid)
    const tookMs = await burst(shot, CALLS)
    const cpuMs = (await cpuMsOf(yard.pid)) - before
    return { cpuUs: (cpuMs * 1_000) / CALLS.calls, tookUs: (tookMs * 1_000) / CALLS.calls }
  }
  for (const caller of callers) await measure(caller)
  const rounds: ReadonlyMap<Caller, Cost>[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const costs = new Map<Caller, Cost>()
    for (const caller of shuffled(callers)) costs.set(caller, await measure(caller))
    rounds.push(costs)
  }
  const [open] = callers
  console.log('| caller | CPU per call | more than open | throughput ÷ open |\n|---|---|---|---|')
  const isGood = callers
    .map((caller) => report(caller, open, rounds))
    .every((addedUs) => addedUs <= MOST_ADDED_US)
  await yard.close()
  await program.end(isGood ? 0 : 1)
})

/** Prints the row of a caller; what it costs more than the open one in µs of processor time. */
function report(caller: Caller, open: Caller | undefined, rounds: Rounds): number {
  const pairs = rounds.flatMap((costs) => {
    const [own, base] = [costs.get(caller), open && costs.get(open)]
    return own && base ? [{ own, base }] : []
  })
  const cpuUs = mean(pairs.map(({ own }) => own.cpuUs))
  const addedUs = mean(pairs.map(({ own, base }) => own.cpuUs - base.cpuUs))
  const ratio = median(pairs.map(({ own, base }) => base.tookUs / own.tookUs))
  console.log(`| ${caller.name} | ${cpuUs.toFixed(0)} µs | ${addedUs.toFixed(0)} µs | ${ratio.toFixed(2)} |`)
  return addedUs
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? NaN
}

function shuffled<T>(values: readonly T[]): T[] {
  return values
    .map((value) => ({ value, at: Math.random() }))
    .sort((one, other) => one.at - other.at)
    .map(({ value }) => value)
}
