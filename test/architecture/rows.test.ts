/** Every row of bad inputs and of faults is shown by a test that names it, or stands here with what it waits for. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'

const ROOT = join(import.meta.dirname, '..')
const LAST_ROWS = { B: 114, F: 72 } as const

/** Rows that nothing built so far can be wrong about, and the part of the project that brings it. */
const LATER: readonly { readonly row: string; readonly part: string; readonly reason: string }[] = []

/** The rows that names of tests begin with: any text in quotes that begins so is one. */
function rowsNamedIn(source: string): string[] {
  const names = source.matchAll(/(['"`])((?:[BFLS]\d{2,3} )*[BFLS]\d{2,3})\b/g)
  return [...names].flatMap(([, , rows = '']) => rows.split(' '))
}

/** What tests of the tests show is not shown of the gateway. */
const isOfGateway = (file: string): boolean => !/^(support|architecture)\//.test(file)
const testFiles = readdirSync(ROOT, { recursive: true, encoding: 'utf8' }).filter(
  (file) => file.endsWith('.test.ts') && isOfGateway(file),
)
const named = new Set(testFiles.flatMap((file) => rowsNamedIn(readFileSync(join(ROOT, file), 'utf8'))))
const all = Object.entries(LAST_ROWS).flatMap(([family, last]) =>
  Array.from({ length: last }, (_, at) => `${family}${String(at + 1).padStart(2, '0')}`),
)

it('names are read as they are written', () => {
  const source = `it('B01 B02 S56 a', …) it.each([['B110', 1], ["B9", 2]]) describe(\`F27 late\`) // B50, 'see B51'`
  expect(rowsNamedIn(source)).toEqual(['B01', 'B02', 'S56', 'B110', 'F27'])
})
it('every row is shown by a test or waits for a part that is not built', () => {
  const waiting = new Set(LATER.map(({ row }) => row))
  expect(all.filter((row) => !named.has(row) && !waiting.has(row))).toEqual([])
})
it('no row waits that a test shows, or that there is not', () => {
  expect(LATER.filter(({ row }) => named.has(row) || !all.includes(row))).toEqual([])
})
