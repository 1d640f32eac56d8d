/** A profile as it is told: µs per answer, by function. Pure. */
import { writeTable } from '../markdown.ts'
import { type Attribution, type Frame, type Native, usOf } from './attribution.ts'

/** So many of what the engine did for a function are named. */
const MOST_NATIVES = 4
const LEAST_NAMED_US = 0.1

/** `placeOf`: where a function of the bundle was written. */
export function writeProfile(
  { costs, apart }: Attribution,
  answers: number,
  top: number,
  placeOf: (frame: Frame) => string,
): string {
  const tell = (us: number): string => (us / answers).toFixed(1)
  const nameNatives = (natives: readonly Native[]): string =>
    natives
      .filter(({ us }) => us / answers >= LEAST_NAMED_US)
      .slice(0, MOST_NATIVES)
      .map(({ name, us }) => `${nameOf(name)} ${tell(us)}`)
      .join(', ')
  const rest = costs.slice(top)
  const functions = costs.slice(0, top).map((cost) => {
    const { frame, ownUs, natives } = cost
    return [nameOf(frame.functionName), placeOf(frame), tell(usOf(cost)), tell(ownUs), nameNatives(natives)]
  })
  const others = [`${rest.length} others`, '', tell(sumOf(rest.map(usOf))), '', '']
  const all = [
    'the bundle',
    '',
    tell(sumOf(costs.map(usOf))),
    tell(sumOf(costs.map(({ ownUs }) => ownUs))),
    '',
  ]
  return [
    writeTable([
      ['function', 'written in', 'µs', 'own', 'of the engine and the runtime'],
      ...functions,
      ...(rest.length > 0 ? [others] : []),
      all,
    ]),
    writeTable([['apart', 'µs'], ...apart.map(({ name, us }) => [name || '(callbacks)', tell(us)])]),
  ].join('\n\n')
}

const nameOf = (functionName: string): string => functionName || '(anonymous)'

const sumOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0)
