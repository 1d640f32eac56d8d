/**
 * Runs a command for as long as the parent lives: `node local/keeper.mjs <command> [arguments]`, spawned with an
 * IPC channel. A parent that is killed cannot end its children; this one sees the channel close and does. The
 * command leads a process group of its own, so that what it started ends with it, even when it was killed itself.
 */
import { spawn } from 'node:child_process'

const KILL_AFTER_MS = 3_000
const hasGroups = process.platform !== 'win32'

const [command, ...args] = process.argv.slice(2)
const child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit'], detached: hasGroups })

function killAll() {
  try {
    process.kill(hasGroups ? -child.pid : child.pid, 'SIGKILL')
  } catch {
    // None is left.
  }
}

function end() {
  child.kill('SIGTERM')
  setTimeout(killAll, KILL_AFTER_MS)
}

for (const event of ['disconnect', 'SIGTERM', 'SIGINT', 'SIGHUP']) process.once(event, end)
child.on('error', (error) => {
  console.error(error.message)
  process.exit(1)
})
child.on('exit', (code) => {
  killAll()
  process.exit(code ?? 1)
})
