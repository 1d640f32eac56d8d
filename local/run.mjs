/**
 * Runs a script of this project: `node local/run.mjs <script> [arguments]`. Installs what is missing first, and
 * runs the script on the Node that the project brings, so that any Node from 18 on will do to start this one.
 */
import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { constants } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const isWindows = process.platform === 'win32'
// npm hands SIGTERM to the shell between it and this process, which dies of it without a word to its child.
const isRunByNpm = process.env.npm_lifecycle_event !== undefined
const PARENT_CHECK_MS = 500

/** Whether the packages installed are those of the lock file. */
function isInstalled() {
  try {
    const wanted = readPackages('package-lock.json')
    const installed = readPackages('node_modules/.package-lock.json')
    const missing = Object.keys(wanted).filter((name) => name !== '' && !wanted[name].optional)
    return missing.every((name) => installed[name]?.version === wanted[name].version)
  } catch {
    return false
  }
}

const readPackages = (file) => JSON.parse(readFileSync(join(root, file), 'utf8')).packages

/** Runs a command to its end; signals go on to it. Resolves to its exit code. */
function run(command, args, options = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: 'inherit', ...options })
    const forward = (signal) => child.kill(signal)
    // On a terminal, Ctrl-C reaches the child by itself; this process only has to outlive it.
    const forwardInterrupt = (signal) => process.stdin.isTTY || child.kill(signal)
    process.on('SIGINT', forwardInterrupt)
    process.on('SIGTERM', forward)
    const parent = process.ppid
    const watch = setInterval(() => {
      if (isRunByNpm && process.ppid !== parent) child.kill('SIGTERM')
    }, PARENT_CHECK_MS)
    child.on('error', (error) => {
      console.error(`${command} could not be started: ${error.message}`)
      resolve(1)
    })
    child.on('exit', (code, signal) => {
      clearInterval(watch)
      process.removeListener('SIGINT', forwardInterrupt)
      process.removeListener('SIGTERM', forward)
      resolve(code ?? 128 + (constants.signals[signal] ?? 0))
    })
  })
}

function findNode() {
  const brought = join(root, 'node_modules/node/bin', isWindows ? 'node.exe' : 'node')
  if (existsSync(brought)) return brought
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  return major > 22 || (major === 22 && minor >= 18) ? process.execPath : undefined
}

const [script, ...args] = process.argv.slice(2)
if (script === undefined) {
  console.error('Usage: node local/run.mjs <script> [arguments]')
  process.exit(1)
}
if (!isInstalled()) {
  console.log('Installing packages (npm ci) …')
  const code = await run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    shell: isWindows,
  })
  if (code !== 0) {
    console.error('npm ci failed, see above. Check the network and try again.')
    process.exit(code)
  }
}
const node = findNode()
if (node === undefined) {
  console.error(
    `Node ${process.versions.node} is too old and the package "node" is not installed: use Node 22.18 or newer.`,
  )
  process.exit(1)
}
// The channel tells the script when this process is gone, however it went.
const stdio = ['inherit', 'inherit', 'inherit', 'ipc']
process.exit(await run(node, [script, ...args], { cwd: root, stdio }))
