/** A plan as people read it, line by line. Pure. */
import type { Style } from '../terminal.ts'
import type { Difference, Step } from './step.ts'

export type Line = { readonly text: string; readonly style?: Style }

const MARKS = {
  create: { mark: '+', style: 'green' },
  change: { mark: '~', style: 'yellow' },
  remove: { mark: '-', style: 'red' },
} as const

const MAX_CHARS = 200

export function diffOf(steps: readonly Step[]): readonly Line[] {
  return steps.flatMap((step): Line[] => {
    const { mark, style } = MARKS[step.action]
    return [
      { text: `${mark} ${step.what}`, style },
      ...step.differences.map((difference) => ({ text: `    ${describe(difference, step.action)}` })),
    ]
  })
}

/** `2 to create, 1 to change, none to remove` */
export function summaryOf(steps: readonly Step[]): string {
  if (steps.length === 0) return 'Nothing to do: the gateway is as the file says.'
  const count = (wanted: Step['action']): string => {
    const many = steps.filter(({ action }) => action === wanted).length
    return `${many === 0 ? 'none' : many} to ${wanted}`
  }
  return `${count('create')}, ${count('change')}, ${count('remove')}.`
}

function describe({ field, before, after }: Difference, action: Step['action']): string {
  if (action === 'create') return `${field}: ${valueOf(after)}`
  return `${field}: ${valueOf(before)} → ${valueOf(after)}`
}

function valueOf(value: unknown): string {
  if (value === undefined || value === null) return '(unset)'
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return text.length <= MAX_CHARS ? text : `${text.slice(0, MAX_CHARS)}…`
}
