/**
 * `npm run bench:load`: every row of the load table, one after the other, each against a gateway of its own.
 * `-- --row L1 --row L3` runs some, `--scale 0.1` a tenth of their rates, counts and durations with wider bounds.
 * Ends with 1 when something does not hold.
 */
import { parseArgs } from 'node:util'
import { type Program, runProgram } from '../../local/program.ts'
import { buildBundle } from '../../local/workerd.ts'
import { type Figure, type Row, Scale, type Stage } from './row.ts'
import { deadUpstream } from './rows/dead-upstream.ts'
import { limiter } from './rows/limiter.ts'
import { memory } from './rows/memory.ts'
import { objectCalls } from './rows/object-calls.ts'
import { slowClients } from './rows/slow-clients.ts'
import { slowUpstream } from './rows/slow-upstream.ts'
import { spike } from './rows/spike.ts'
import { steady } from './rows/steady.ts'
import { streams } from './rows/streams.ts'
import { tableOf } from './table.ts'
import { openInspectedYard, openYard, type Yard } from './yard.ts'

const ROWS: readonly Row[] = [
  steady,
  spike,
  streams,
  slowUpstream,
  slowClients,
  memory,
  deadUpstream,
  objectCalls,
  limiter,
]

await runProgram(async (program) => {
  const { rows, scale } = readOptions(process.argv.slice(2))
  const bundleDirectory = await buildBundle()
  const done: { readonly row: Row; readonly figures: readonly Figure[] }[] = []
  for (const row of rows) {
    console.log(`${row.id} ${row.what}`)
    const startedAt = performance.now()
    const figures = await runRow(row, scale, bundleDirectory, program)
    console.log(`   ${((performance.now() - startedAt) / 1_000).toFixed(0)} s`)
    done.push({ row, figures })
  }
  console.log(`\n${tableOf(done)}`)
  const isGood = done.every(({ figures }) => figures.every(({ holds }) => holds))
  await program.end(isGood ? 0 : 1)
})

/** What a row throws is told in its place; the others go on. */
async function runRow(
  row: Row,
  scale: Scale,
  bundleDirectory: string,
  program: Program,
): Promise<readonly Figure[]> {
  const yards: Yard[] = []
  const keep = <T extends Yard>(yard: T): T => {
    program.keep(yard)
    yards.push(yard)
    return yard
  }
  const stage: Stage = {
    scale,
    open: async (options) => keep(await openYard(bundleDirectory, options)),
    openInspected: async () => keep(await openInspectedYard(bundleDirectory)),
  }
  try {
    return await row.run(stage)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    return [{ what: 'could not be measured', figure: reason, target: '', holds: false }]
  } finally {
    for (const yard of yards) await yard.close()
  }
}

function readOptions(args: readonly string[]): { rows: readonly Row[]; scale: Scale } {
  const { values } = parseArgs({
    args: [...args],
    options: { row: { type: 'string', multiple: true }, scale: { type: 'string', default: '1' } },
  })
  const part = Number(values.scale)
  if (!(part > 0 && part <= 1))
    throw new Error(`--scale must be above 0 and at most 1, not '${values.scale}'.`)
  const wanted = values.row ?? ROWS.map(({ id }) => id)
  const rows = wanted.map((id) => {
    const row = ROWS.find((each) => each.id === id)
    if (row) return row
    throw new Error(`--row must be one of ${ROWS.map((each) => each.id).join(', ')}, not '${id}'.`)
  })
  return { rows, scale: new Scale(part) }
}
