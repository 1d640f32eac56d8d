/** `local/run.mjs`, on which every npm script stands: what is missing is installed, all else is passed on. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually } from '../support/gateway.ts'

const RUN = join(import.meta.dirname, '../../local/run.mjs')
const LOCK = JSON.stringify({
  packages: {
    '': {},
    'node_modules/a': { version: '1.0.0' },
    'node_modules/b': { version: '1.0.0', optional: true },
  },
})

/** A project with a space in its path, an `npm` that leaves a note, and nothing installed. */
let project: string

beforeAll(async () => {
  project = await mkdtemp(join(tmpdir(), 'switchyard run-'))
  await mkdir(join(project, 'local'))
  await cp(RUN, join(project, 'local/run.mjs'))
  await writeFile(join(project, 'package-lock.json'), LOCK)
  await writeFile(
    join(project, 'echo.mjs'),
    'console.log(JSON.stringify(process.argv.slice(2))); process.exit(7)',
  )
  await writeFile(
    join(project, 'wait.mjs'),
    `for (const name of ['SIGINT', 'SIGTERM', 'disconnect']) process.on(name, () => { console.log(name); process.exit(0) })
     console.log('waits ' + process.pid); setInterval(() => {}, 1000)`,
  )
  await mkdir(join(project, 'bin'))
  await writeFile(
    join(project, 'bin/npm'),
    `#!/bin/sh
echo "$@" >> npm.log
[ -n "$NPM_FAILS" ] && exit 3
mkdir -p node_modules && cp package-lock.json node_modules/.package-lock.json`,
  )
  await chmod(join(project, 'bin/npm'), 0o755)
})
afterAll(() => rm(project, { recursive: true, force: true }))

class Run {
  readonly child: ChildProcess
  output = ''

  constructor(args: readonly string[], env: Record<string, string> = {}) {
    const path = `${join(project, 'bin')}${delimiter}${process.env['PATH']}`
    this.child = spawn(process.execPath, [join(project, 'local/run.mjs'), ...args], {
      env: { ...process.env, PATH: path, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    for (const stream of [this.child.stdout, this.child.stderr])
      stream?.on('data', (chunk) => (this.output += String(chunk)))
  }

  async exited(): Promise<number | null> {
    if (this.child.exitCode === null && this.child.signalCode === null) await once(this.child, 'close')
    return this.child.exitCode
  }
}

const installs = async (): Promise<number> =>
  (await readFile(join(project, 'npm.log'), 'utf8').catch(() => '')).split('\n').length - 1

describe('run.mjs', () => {
  it('stops when the packages cannot be installed', async () => {
    const run = new Run(['echo.mjs'], { NPM_FAILS: '1' })
    expect(await run.exited()).toBe(3)
    expect(run.output).toContain('npm ci failed')
  })

  it('installs what is missing, says so in one line, and passes arguments and exit code on', async () => {
    const run = new Run(['echo.mjs', 'foo.test.ts', '--a', 'b c'])
    expect(await run.exited()).toBe(7)
    expect(run.output).toBe('Installing packages (npm ci) …\n["foo.test.ts","--a","b c"]\n')
  })

  it('installs nothing when all is there, and again when the lock file has changed', async () => {
    const before = await installs()
    expect(await new Run(['echo.mjs']).exited()).toBe(7)
    expect(await installs()).toBe(before)
    await writeFile(join(project, 'package-lock.json'), LOCK.replace('1.0.0', '1.0.1'))
    expect(await new Run(['echo.mjs']).exited()).toBe(7)
    expect(await installs()).toBe(before + 1)
  })

  it.each(['SIGINT', 'SIGTERM'] as const)('passes %s on', async (signal) => {
    const run = new Run(['wait.mjs'])
    await eventually(5_000, () => expect(run.output).toContain('waits'))
    run.child.kill(signal)
    expect(await run.exited()).toBe(0)
    expect(run.output).toContain(signal)
  })

  it('is missed by the script when it is killed', async () => {
    const run = new Run(['wait.mjs'])
    await eventually(5_000, () => expect(run.output).toContain('waits'))
    run.child.kill('SIGKILL')
    await eventually(5_000, () => expect(run.output).toContain('disconnect'))
  })

  it('ends a script that was killed with the code of its signal', async () => {
    const run = new Run(['wait.mjs'])
    await eventually(5_000, () => expect(run.output).toContain('waits'))
    process.kill(Number(/waits (\d+)/.exec(run.output)?.[1]), 'SIGKILL')
    expect(await run.exited()).toBe(137)
  })
})
