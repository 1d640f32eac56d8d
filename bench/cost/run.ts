/**
 * `npm run bench:cost`: what it costs to know the caller, and to guard a service. The same call by callers of several
 * kinds, and of services with several settings, in short turns and in an order by lot, at one gateway; the processor
 * time of its process per call over all turns, and what it is more than for the first of its group. Throughput is the
 * median of ratios within a round. Linux only.
 */
import { runProgram } from '../../local/program.ts'
import { buildBundle } from '../../local/workerd.ts'
import { openYard } from '../load/yard.ts'
import { childOf, cpuMsOf } from '../process.ts'
import { median } from '../statistics.ts'
import { burst } from './burst.ts'
import { callersOf } from './caller.ts'
import { guardsOf } from './guard.ts'
import type { Group, Kind } from './kind.ts'

const ROUNDS = 100
/** Short, so that what slows the machine for a while slows all kinds alike. */
const CALLS = { calls: 300, atOnce: 8 } as const
const MOST_ADDED_US = 40

type Rounds = readonly ReadonlyMap<Kind, Cost>[]
type Cost = { readonly cpuUs: number; readonly tookUs: number }

await runProgram(async (program) => {
  const yard = await openYard(await buildBundle(), { settings: { MCP_AUTH: 'open' } })
  program.keep(yard)
  const service = await yard.add('service-1')
  service.upstream.dial.clear()
  const groups: readonly Group[] = [
    { name: 'caller', kinds: await callersOf(yard, service), mostAddedUs: MOST_ADDED_US },
    { name: 'guard', kinds: await guardsOf(yard) },
  ]
  const kinds = groups.flatMap((group) => group.kinds)
  const pid = childOf(yard.pid)
  const measure = async ({ shot }: Kind): Promise<Cost> => {
    const before = cpuMsOf(pid)
    const tookMs = await burst(shot, CALLS)
    const cpuMs = cpuMsOf(pid) - before
    return { cpuUs: (cpuMs * 1_000) / CALLS.calls, tookUs: (tookMs * 1_000) / CALLS.calls }
  }
  for (const kind of kinds) await measure(kind)
  const rounds: ReadonlyMap<Kind, Cost>[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const costs = new Map<Kind, Cost>()
    for (const kind of shuffled(kinds)) costs.set(kind, await measure(kind))
    rounds.push(costs)
  }
  const isGood = groups.map((group) => report(group, rounds)).every((isWithin) => isWithin)
  await yard.close()
  await program.end(isGood ? 0 : 1)
})

/** Prints the table of a group. Whether what its kinds cost is within what they may. */
function report({ name, kinds, mostAddedUs = Number.POSITIVE_INFINITY }: Group, rounds: Rounds): boolean {
  const first = kinds[0]?.name
  console.log(`\n| ${name} | CPU per call | more than ${first} | CPU ÷ ${first} | throughput ÷ ${first} |`)
  console.log('|---|---|---|---|---|')
  return kinds.map((kind) => reportKind(kind, kinds[0], rounds)).every((addedUs) => addedUs <= mostAddedUs)
}

/** Prints the row of a kind; what it costs more than the first one in µs of processor time. */
function reportKind(kind: Kind, first: Kind | undefined, rounds: Rounds): number {
  const pairs = rounds.flatMap((costs) => {
    const [own, base] = [costs.get(kind), first && costs.get(first)]
    return own && base ? [{ own, base }] : []
  })
  const cpuUs = mean(pairs.map(({ own }) => own.cpuUs))
  const addedUs = mean(pairs.map(({ own, base }) => own.cpuUs - base.cpuUs))
  const ratios = [
    median(pairs.map(({ own, base }) => own.cpuUs / base.cpuUs)),
    median(pairs.map(({ own, base }) => base.tookUs / own.tookUs)),
  ].map((ratio) => ratio.toFixed(2))
  console.log(`| ${kind.name} | ${cpuUs.toFixed(0)} µs | ${addedUs.toFixed(0)} µs | ${ratios.join(' | ')} |`)
  return addedUs
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

function shuffled<T>(values: readonly T[]): T[] {
  return values
    .map((value) => ({ value, at: Math.random() }))
    .sort((one, other) => one.at - other.at)
    .map(({ value }) => value)
}
