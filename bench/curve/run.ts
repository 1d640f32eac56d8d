/** `npm run bench:curve`: draws `docs/growth.svg` from the newest of `bench/results/` that has the row `growth`. */
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Report } from '../ratio/report.ts'
import { plotGrowth } from './growth.ts'
import { draw } from './plot.ts'

const RESULTS = join(import.meta.dirname, '../results')
const IMAGE = join(import.meta.dirname, '../../docs/growth.svg')

// Nobody has kept a result yet: told below.
const files = (await readdir(RESULTS).catch(() => [])).filter((file) => file.endsWith('.json'))
const reports = await Promise.all(
  files.map(async (file): Promise<Report> => JSON.parse(await readFile(join(RESULTS, file), 'utf8'))),
)
const [newest] = reports
  .map(({ madeAt, samples }) => ({ madeAt, samples: samples.filter(({ row }) => row === 'growth') }))
  .filter(({ samples }) => samples.length > 0)
  .toSorted((one, other) => other.madeAt.localeCompare(one.madeAt))
if (!newest) {
  console.error(
    'No file of bench/results has the row growth: npm run bench -- --json bench/results/<name>.json',
  )
  process.exit(1)
}
await writeFile(IMAGE, draw(plotGrowth(newest.samples)))
console.log(`docs/growth.svg, measured ${newest.madeAt}`)
