/** Runs an official conformance suite as its users do, on the command line, and reads the checks that it leaves. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { text } from 'node:stream/consumers'

export type Run = {
  readonly name: string
  /** The package under `@modelcontextprotocol`. */
  readonly suite: 'conformance' | 'conformance-next'
  readonly args: readonly string[]
}

export type Check = {
  readonly scenario: string
  readonly id: string
  readonly status: 'SUCCESS' | 'FAILURE' | 'WARNING' | 'SKIPPED' | 'INFO'
  readonly errorMessage?: string
}

export type Outcome = { readonly exitCode: number | null; readonly checks: readonly Check[] }

const require = createRequire(import.meta.url)
/** What a run may take; it takes a few seconds. */
export const RUN_WITHIN_MS = 90_000

/** `subject`: what the suite is put to, as its arguments. */
export async function runSuite(
  run: Run,
  mode: 'server' | 'client',
  subject: readonly string[],
): Promise<Outcome> {
  const directory = await mkdtemp(join(tmpdir(), 'switchyard-conformance-'))
  try {
    const program = require.resolve(`@modelcontextprotocol/${run.suite}/dist/index.js`)
    const args = [program, mode, ...subject, ...run.args, '-o', directory]
    const child = spawn(process.execPath, args, {
      cwd: directory,
      timeout: RUN_WITHIN_MS,
      killSignal: 'SIGKILL',
    })
    const [[exitCode]] = await Promise.all([once(child, 'close'), text(child.stdout), text(child.stderr)])
    return { exitCode, checks: await readChecks(directory, mode) }
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

/** A scenario's results lie in a directory that is named by mode, scenario and time. */
async function readChecks(directory: string, mode: string): Promise<Check[]> {
  const paths = await readdir(directory, { recursive: true })
  const files = paths.filter((path) => path.endsWith('checks.json')).sort()
  const read = async (path: string): Promise<Check[]> => {
    const scenario = dirname(path)
      .replace(`${mode}-`, '')
      .replace(/-\d{4}-\d\d-\d\dT[\d-]+Z$/, '')
    const checks: Omit<Check, 'scenario'>[] = JSON.parse(await readFile(join(directory, path), 'utf8'))
    return checks.map((check) => ({ ...check, scenario }))
  }
  return (await Promise.all(files.map(read))).flat()
}

/** The checks with this status, as lines that say which, and why. */
export const told = (checks: readonly Check[], status: Check['status']): string[] =>
  checks
    .filter((check) => check.status === status)
    .map(({ scenario, id, errorMessage }) => `${scenario}: ${id}${errorMessage ? `: ${errorMessage}` : ''}`)
