/**
 * Runs a command for as long as the parent lives: `node local/keeper.mjs <command> [arguments]`, spawned with an
 * IPC channel. A parent that is killed cannot end its children; this one sees the channel close and does.
 */
import { spawn } from 'node:child_process'

const [command, ...args] = process.argv.slice(2)
const child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit'] })
const end = () => child.kill('SIGTERM')
for (const event of ['disconnect', 'SIGTERM', 'SIGINT']) process.on(event, end)
child.on('error', (error) => {
  console.error(error.message)
  process.exit(1)
})
child.on('exit', (code) => process.exit(code ?? 0))
