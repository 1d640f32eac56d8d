/** The figures of a run as one table, in Markdown. */
import { writeTable } from '../markdown.ts'
import type { Figure, Row } from './row.ts'

const HEAD = ['row', 'what', 'figure', 'target', 'holds'] as const

export function tableOf(rows: readonly { readonly row: Row; readonly figures: readonly Figure[] }[]): string {
  const body = rows.flatMap(({ row, figures }) =>
    figures.map(({ what, figure, target, holds }) => [row.id, what, figure, target, holds ? 'yes' : 'NO']),
  )
  return writeTable([HEAD, ...body])
}
