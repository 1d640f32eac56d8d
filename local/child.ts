/** Child processes that end with this one, and whose last words are kept for the case that they die early. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

const KEEPER = join(import.meta.dirname, 'keeper.mjs')
const KEPT_CHARS = 4_000
const KILL_AFTER_MS = 5_000

export type Child = {
  readonly pid: number | undefined
  readonly exited: Promise<unknown>
  readonly isRunning: () => boolean
  /** The end of what it wrote to stdout and stderr. */
  readonly lastWords: () => string
  /** Ends it, and waits until it has ended. */
  close(): Promise<void>
  /** The same without a warning: it cannot tidy up. */
  kill(): Promise<void>
}

export type ChildOptions = {
  readonly command: string
  readonly args: readonly string[]
  readonly cwd?: string
  readonly env?: NodeJS.ProcessEnv
  /** What it writes, as it comes. */
  readonly sink?: ((text: string) => void) | undefined
}

export function startChild({ command, args, cwd, env = process.env, sink }: ChildOptions): Child {
  const child = spawn(process.execPath, [KEEPER, command, ...args], {
    ...(cwd === undefined ? {} : { cwd }),
    env,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    // The keeper leads a process group: see there.
    detached: process.platform !== 'win32',
  })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk) => {
      said = (said + String(chunk)).slice(-KEPT_CHARS)
      sink?.(String(chunk))
    })
  }
  const exited = once(child, 'exit')
  return {
    pid: child.pid,
    exited,
    isRunning: () => child.exitCode === null && child.signalCode === null,
    lastWords: () => said.trim(),
    async close() {
      child.kill('SIGTERM')
      const timer = setTimeout(() => child.kill('SIGKILL'), KILL_AFTER_MS)
      await exited
      clearTimeout(timer)
    },
    async kill() {
      // The whole group: the command, which nobody would end if its keeper alone were killed.
      if (process.platform === 'win32' || child.pid === undefined) child.kill('SIGKILL')
      else process.kill(-child.pid, 'SIGKILL')
      await exited
    },
  }
}

/** Waits until `url` answers, well or not; rejects with the child's last words when it ends before, or takes too long. */
export async function waitUntilReady(
  name: string,
  url: string,
  child: Child,
  timeoutMs: number,
): Promise<void> {
  const end = Date.now() + timeoutMs
  while (child.isRunning() && Date.now() < end) {
    const signal = AbortSignal.timeout(Math.max(1, end - Date.now()))
    const isReady = await fetch(url, { signal }).then(
      () => true,
      () => false,
    )
    if (isReady) return
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  const what = child.isRunning() ? `did not become ready within ${timeoutMs / 1000} s` : 'ended at its start'
  await child.close()
  throw new Error(`${name} ${what}.${child.lastWords() === '' ? '' : `\n${child.lastWords()}`}`)
}
