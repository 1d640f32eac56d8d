/**
 * Runs a command for as long as the parent lives: `node local/keeper.mjs <command> [arguments]`, spawned with an
 * IPC channel. A parent that is killed cannot end its children; this one sees the channel close and does. It
 * leads a process group of its own, so that it outlives a parent that is killed with its whole group, and so that
 * whatever the command started ends with it, even when the command itself was killed.
 */
import { spawn } from 'node:child_process'

const KILL_AFTER_MS = 3_000

const [command, ...args] = process.argv.slice(2)
const child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit'] })

/** Kills the group, this process with it. */
function killAll() {
  if (process.platform === 'win32') child.kill('SIGKILL')
  else process.kill(-process.pid, 'SIGKILL')
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
child.on('exit', () => {
  killAll()
  process.exit(1)
})
