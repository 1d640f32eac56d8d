/** The figures of a run as one table, in Markdown. */
import type { Figure, Row } from './row.ts'

const HEAD = ['row', 'what', 'figure', 'target', 'holds'] as const

export function tableOf(rows: readonly { readonly row: Row; readonly figures: readonly Figure[] }[]): string {
  const body = rows.flatMap(({ row, figures }) =>
    figures.map(({ what, figure, target, holds }) => [row.id, what, figure, target, holds ? 'yes' : 'NO']),
  )
  const lines = [[...HEAD], ...body]
  const widths = HEAD.map((_, column) => Math.max(...lines.map((cells) => cells[column]?.length ?? 0)))
  const write = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`
  const rule = `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`
  return [write([...HEAD]), rule, ...body.map(write)].join('\n')
}
