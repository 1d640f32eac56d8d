#!/usr/bin/env node
/**
 * `npx switchyard`: starts the command line on a Node that runs TypeScript, this one or the one that the project
 * brings, so that any Node from 18 on will do to start it. Writes nothing of its own to stdout.
 */
import { spawn } from 'node:child_process'
import { existsSync, realpathSync } from 'node:fs'
import module from 'node:module'
import { constants } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const modules = fileURLToPath(new URL('../node_modules', import.meta.url))
const brought = join(modules, 'node/bin', process.platform === 'win32' ? 'node.exe' : 'node')
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
const isBrought = existsSync(brought) && realpathSync(brought) === realpathSync(process.execPath)

if (!existsSync(join(modules, 'commander'))) {
  console.error('Packages are missing: run npm ci first.')
  process.exitCode = 1
} else if (major > 24 || (major === 24 && minor >= 12)) {
  // Half of a start is compiling. Not in a directory that others can write to: what lies there is run.
  module.enableCompileCache(join(modules, '.cache/switchyard'))
  await import('./main.ts')
} else if (existsSync(brought) && !isBrought) {
  process.exitCode = await run(brought, [fileURLToPath(import.meta.url), ...process.argv.slice(2)])
} else {
  console.error(`Node ${process.versions.node} is too old: use Node 24.12 or newer.`)
  process.exitCode = 1
}

function run(node, args) {
  return new Promise((resolve) => {
    const child = spawn(node, args, { stdio: 'inherit' })
    // On a terminal, Ctrl-C reaches the child by itself; this process only has to outlive it.
    process.on('SIGINT', () => process.stdin.isTTY || child.kill('SIGINT'))
    process.on('SIGTERM', () => child.kill('SIGTERM'))
    child.on('error', (error) => {
      console.error(`${node} could not be started: ${error.message}`)
      resolve(1)
    })
    child.on('exit', (code, signal) => resolve(code ?? 128 + (constants.signals[signal] ?? 0)))
  })
}
