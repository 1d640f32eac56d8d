/** Rows as people read them: columns of one width, numbers to the right, nothing where there is nothing. Pure. */
import { inOneLine } from './plain.ts'

export type Cell = string | number | boolean | null | undefined

/** A title, and what stands below it for each row. */
export type Column<Row> = readonly [title: string, cell: (row: Row) => Cell]

const GAP = '  '

/** The lines of the table. The last column is cut where `maxChars` would be exceeded. */
export function tableOf<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  maxChars = Number.POSITIVE_INFINITY,
): readonly string[] {
  const cells = rows.map((row) => columns.map(([, cell]) => cell(row)))
  const texts = [columns.map(([title]) => title), ...cells.map((row) => row.map(textOf))]
  const widths = columns.map((_, at) => Math.max(...texts.map((row) => lengthOf(row[at] ?? ''))))
  const isNumeric = columns.map((_, at) => rows.length > 0 && cells.every((row) => isFigure(row[at])))
  return texts.map((row) => {
    const padded = row.map((text, at) => pad(text, widths[at] ?? 0, isNumeric[at] ?? false))
    return cut(padded.join(GAP).trimEnd(), maxChars)
  })
}

/** Names and values below each other. */
export function listOf(members: readonly (readonly [name: string, value: Cell])[]): readonly string[] {
  const shown = members.filter(([, value]) => value !== undefined && value !== '')
  const width = Math.max(0, ...shown.map(([name]) => lengthOf(name)))
  return shown.map(([name, value]) => `${name.padEnd(width)}${GAP}${textOf(value)}`)
}

const isFigure = (value: Cell): boolean => value === undefined || value === null || typeof value === 'number'

function textOf(value: Cell): string {
  if (value === undefined || value === null) return ''
  if (typeof value === 'boolean') return value ? 'yes' : 'no'
  return inOneLine(String(value))
}

const lengthOf = (text: string): number => [...text].length

function pad(text: string, width: number, toTheRight: boolean): string {
  const space = ' '.repeat(Math.max(0, width - lengthOf(text)))
  return toTheRight ? `${space}${text}` : `${text}${space}`
}

const cut = (line: string, maxChars: number): string =>
  lengthOf(line) <= maxChars ? line : `${[...line].slice(0, Math.max(1, maxChars - 1)).join('')}…`
