/** Every row of bad inputs, faults and attacks is shown by a test that names it, or stands here with the reason why not. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'

const ROOT = join(import.meta.dirname, '..')
const LAST_ROWS = { B: 114, F: 72, S: 63 } as const

/** Rows about what this gateway does not do, and so cannot do wrong. */
const NOT_OURS: readonly { readonly row: string; readonly reason: string }[] = [
  { row: 'S26', reason: 'no consent is proxied: clients get their tokens from the issuer itself' },
  { row: 'S27', reason: 'no client is registered here, so there is no redirect URI' },
  { row: 'S28', reason: 'no authorization code is given or taken here' },
  { row: 'S29', reason: 'upstreams are signed in to elsewhere; here their tokens are only refreshed' },
]

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
it('every row is shown by a test, or is not about this gateway', () => {
  const foreign = new Set(NOT_OURS.map(({ row }) => row))
  expect(all.filter((row) => !named.has(row) && !foreign.has(row))).toEqual([])
})
it('no row is left out that a test shows, or that there is not', () => {
  expect(NOT_OURS.filter(({ row }) => named.has(row) || !all.includes(row))).toEqual([])
})
