/**
 * `npm run bench`: the gateway on plain workerd beside what it is compared with, in turn; see bench/README.md. Ends with
 * 1 when an answer was wrong, and when a ratio fell against a baseline; a goal that is missed is told in the table.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { runProgram } from '../../local/program.ts'
import { buildBundle } from '../../local/workerd.ts'
import { type Baseline, baselineOf, findFalls } from './baseline.ts'
import { openClients } from './client/clients.ts'
import type { Told } from './figure.ts'
import { Ground } from './ground.ts'
import { readOptions } from './options.ts'
import { brief, describeMachine, readVersions, type Report, writeReport } from './report.ts'
import type { Row } from './row.ts'
import { bundle } from './rows/bundle.ts'
import { call } from './rows/call.ts'
import { cold } from './rows/cold.ts'
import { growth } from './rows/growth.ts'
import { io } from './rows/io.ts'
import { kind } from './rows/kind.ts'
import { list } from './rows/list.ts'
import { memory } from './rows/memory.ts'
import { Runner } from './stage.ts'

const ROWS: readonly Row[] = [call, kind, io, list, growth, cold, memory, bundle]

await runProgram(async (program) => {
  if (process.platform !== 'linux')
    throw new Error('The benchmark needs Linux: it reads processor time from /proc.')
  const { rows, pace, json, against, baseline } = readOptions(process.argv.slice(2), ROWS)
  const earlier: Baseline = against === undefined ? {} : JSON.parse(await readFile(against, 'utf8'))
  const madeAt = new Date().toISOString()
  const machine = describeMachine()
  const clients = openClients()
  program.keep(clients)
  const ground = new Ground(await buildBundle(), (part) => program.keep(part))
  const runner = new Runner(ground, pace, clients)

  const figures: Told[] = []
  for (const row of rows) figures.push(...(await runner.run(row)))
  // Once more: what fell because the machine was busy with something else does not fall twice.
  for (const id of new Set(findFalls(figures, earlier).map(({ row }) => row))) {
    const row = rows.find((each) => each.id === id)
    if (row) replace(figures, row, await runner.run(row))
  }

  const { samples, faults } = runner
  const report: Report = { madeAt, machine, versions: readVersions(), pace, figures, faults, samples }
  const text = writeReport(report)
  console.log(`\n${text}`)
  if (json !== undefined) {
    await save(json, JSON.stringify(report, null, 1))
    await save(json.replace(/(\.json)?$/, '.md'), text)
  }
  if (baseline !== undefined) await save(baseline, JSON.stringify(baselineOf(figures), null, 2))
  const falls = findFalls(figures, earlier)
  const told = falls.map(
    ({ row, what, was, is }) => `Fell by more than a third: ${row}, ${what}: ${brief(was)} → ${brief(is)}`,
  )
  for (const what of [...faults, ...told]) console.error(what)
  await program.end(faults.length + falls.length > 0 ? 1 : 0)
})

function replace(figures: Told[], { id }: Row, again: readonly Told[]): void {
  const at = figures.findIndex(({ row }) => row === id)
  figures.splice(at, figures.filter(({ row }) => row === id).length, ...again)
}

async function save(file: string, text: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, `${text}\n`)
}
