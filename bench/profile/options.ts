/** The options of `npm run bench:profile`. */
import { parseArgs } from 'node:util'
import { SERVICES } from '../ratio/ground.ts'

export type Options = {
  readonly service: keyof typeof SERVICES
  /** So many services of this kind, called in turn. */
  readonly services: number
  /** Connections, each with one call at a time. */
  readonly lanes: number
  /** Of arguments beside the text of a call. */
  readonly argumentBytes: number
  /** Of an answer beside its text. */
  readonly answerBytes: number
  /** Whether the clients speak 2026-07-28, and not 2025-06-18. */
  readonly isModern: boolean
  readonly seconds: number
  /** So many functions are told, those that take most. */
  readonly top: number
  /** Where the profile is kept in Chrome's format. */
  readonly out: string | undefined
}

const ERAS = ['legacy', 'modern']

/** Throws one line that names the option and what it takes. */
export function readOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      service: { type: 'string', default: 'plain' },
      services: { type: 'string', default: '1' },
      lanes: { type: 'string', default: '16' },
      arguments: { type: 'string', default: '0' },
      answer: { type: 'string', default: '0' },
      era: { type: 'string', default: 'legacy' },
      seconds: { type: 'string', default: '5' },
      top: { type: 'string', default: '40' },
      out: { type: 'string' },
    },
  })
  const { service, era } = values
  if (!isService(service))
    throw new Error(`--service must be one of ${Object.keys(SERVICES).join(', ')}, not '${service}'.`)
  if (!ERAS.includes(era)) throw new Error(`--era must be one of ${ERAS.join(', ')}, not '${era}'.`)
  return {
    service,
    services: readCount('services', values.services, 1),
    lanes: readCount('lanes', values.lanes, 1),
    argumentBytes: readCount('arguments', values.arguments, 0),
    answerBytes: readCount('answer', values.answer, 0),
    isModern: era === 'modern',
    seconds: readCount('seconds', values.seconds, 1),
    top: readCount('top', values.top, 1),
    out: values.out,
  }
}

const isService = (name: string): name is keyof typeof SERVICES => Object.hasOwn(SERVICES, name)

function readCount(option: string, text: string, least: number): number {
  const count = Number(text)
  if (/^\d+$/.test(text) && count >= least && Number.isSafeInteger(count)) return count
  throw new Error(`--${option} must be a whole number from ${least}, not '${text}'.`)
}
