/** The options of `npm start` and `npm run serve`. */
import { parseArgs } from 'node:util'

export type Options = {
  readonly port: number
  readonly runtime: 'wrangler' | 'workerd'
  readonly hasExamples: boolean
}

const DEFAULT_PORT = '8787'

/** Throws one line that names the option and what it takes. */
export function readOptions(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      port: { type: 'string' },
      runtime: { type: 'string', default: 'wrangler' },
      'no-examples': { type: 'boolean', default: false },
    },
  })
  const { runtime } = values
  if (runtime !== 'wrangler' && runtime !== 'workerd')
    throw new Error(`--runtime must be wrangler or workerd, not '${runtime}'.`)
  return {
    port:
      values.port === undefined
        ? readPort('PORT', env['PORT'] ?? DEFAULT_PORT)
        : readPort('--port', values.port),
    runtime,
    hasExamples: !values['no-examples'],
  }
}

/** `source` is the option or variable that the text is from. */
export function readPort(source: string, text: string): number {
  const port = Number(text)
  if (/^\d+$/.test(text) && port >= 1 && port <= 65_535) return port
  throw new Error(`${source} must be a whole number from 1 to 65535, not '${text}'.`)
}
