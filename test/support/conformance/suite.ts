/** Runs an official conformance suite as its users do, on the command line, and reads the checks that it leaves. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { text } from 'node:stream/consumers'

/** A package under `@modelcontextprotocol`. */
export type Suite = 'conformance' | 'conformance-next'

export type Check = {
  readonly scenario: string
  readonly id: string
  readonly status: 'SUCCESS' | 'FAILURE' | 'WARNING' | 'SKIPPED' | 'INFO'
  readonly errorMessage?: string
}

export type Outcome = {
  readonly exitCode: number | null
  readonly checks: readonly Check[]
  /** What the suite printed. */
  readonly output: string
}

const require = createRequire(import.meta.url)
/** What a run may take; it takes a few seconds. */
export const RUN_WITHIN_MS = 90_000

/** `args`: the command of the suite and what it needs; `settings`: environment of the clients that it starts. */
export async function runSuite(
  suite: Suite,
  args: readonly [mode: 'server' | 'client', ...rest: string[]],
  settings: Readonly<Record<string, string>> = {},
): Promise<Outcome> {
  const directory = await mkdtemp(join(tmpdir(), 'switchyard-conformance-'))
  try {
    const { exitCode, output } = await run(suite, [...args, '-o', directory], settings)
    return { exitCode, output, checks: await readChecks(directory, args[0]) }
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

/** The scenarios for clients that a suite has, with the versions that each is for. */
export async function listClientScenarios(suite: Suite): Promise<ReadonlyMap<string, readonly string[]>> {
  const { output } = await run(suite, ['list', '--client'])
  const lines = output.matchAll(/^ {2}- (\S+) \[(.*)\]$/gm)
  return new Map(Array.from(lines, ([, name = '', versions = '']) => [name, versions.split(',')]))
}

async function run(
  suite: Suite,
  args: readonly string[],
  settings: Readonly<Record<string, string>> = {},
): Promise<Pick<Outcome, 'exitCode' | 'output'>> {
  const program = require.resolve(`@modelcontextprotocol/${suite}/dist/index.js`)
  const child = spawn(process.execPath, [program, ...args], {
    env: { ...process.env, ...settings },
    timeout: RUN_WITHIN_MS,
    killSignal: 'SIGKILL',
  })
  const closed = once(child, 'close')
  const said = await Promise.all([text(child.stdout), text(child.stderr)])
  const [exitCode] = await closed
  return { exitCode, output: said.join('\n') }
}

/** A scenario's results lie in a directory that is named by mode, scenario and time. */
async function readChecks(directory: string, mode: string): Promise<Check[]> {
  const paths = await readdir(directory, { recursive: true })
  const files = paths.filter((path) => path.endsWith('checks.json')).sort()
  const read = async (path: string): Promise<Check[]> => {
    const scenario = dirname(path)
      .replace(new RegExp(`^${mode}-`), '')
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
