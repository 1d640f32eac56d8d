/** The gateway under `wrangler dev`, with the settings of `wrangler.toml` and those of this run. */
import { mkdir, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { unstable_readConfig } from 'wrangler'
import { writeAssets } from './assets.ts'
import { startChild, waitUntilReady } from './child.ts'
import type { Runtime } from './workerd.ts'

const ROOT = join(import.meta.dirname, '..')
const READY_WITHIN_MS = 60_000

export type WranglerOptions = {
  readonly port: number
  readonly bindings: Readonly<Record<string, string>>
  /** Where wrangler keeps its state, and where the file with the settings of this run is written. */
  readonly directory: string
  readonly sink?: (text: string) => void
}

export async function startWrangler({ port, bindings, directory, sink }: WranglerOptions): Promise<Runtime> {
  const require = createRequire(import.meta.url)
  const wrangler = join(dirname(require.resolve('wrangler/package.json')), 'bin/wrangler.js')
  await writeAssets()
  const config = await writeConfig(directory, bindings)
  const where = ['--port', String(port), '--ip', '127.0.0.1', '--inspector-port', '0']
  const how = ['--persist-to', join(directory, 'state'), '--show-interactive-dev-session=false']
  // From `log` on, wrangler prints the settings with their values, secrets included.
  const args = [wrangler, 'dev', '--config', config, ...where, ...how, '--log-level', 'warn']
  const env = {
    ...process.env,
    CI: '1',
    WRANGLER_SEND_METRICS: 'false',
    CLOUDFLARE_CF_FETCH_ENABLED: 'false',
    WRANGLER_HIDE_BANNER: 'true',
    WRANGLER_WRITE_LOGS: 'false',
  }
  const child = startChild({ command: process.execPath, args, cwd: ROOT, env, sink })
  const url = `http://127.0.0.1:${port}`
  await waitUntilReady('The gateway (wrangler dev)', `${url}/health`, child, READY_WITHIN_MS)
  return { url, child, close: () => child.close() }
}

/** JSON takes any value as it is, which an env file would not; its owner alone may read it. */
async function writeConfig(directory: string, bindings: Readonly<Record<string, string>>): Promise<string> {
  const source = unstable_readConfig({ config: join(ROOT, 'wrangler.toml') })
  const { name, main, compatibility_date, compatibility_flags, durable_objects, migrations } = source
  const assets = source.assets?.directory && {
    ...source.assets,
    // Paths of this file are relative to where it is.
    directory: join(ROOT, source.assets.directory),
  }
  const vars = { ...source.vars, ...bindings }
  const shape = { name, main, compatibility_date, compatibility_flags, durable_objects, migrations, assets }
  const config = { ...shape, vars }
  const file = join(directory, 'wrangler.json')
  await mkdir(directory, { recursive: true, mode: 0o700 })
  await writeFile(file, JSON.stringify(config, null, 2), { mode: 0o600 })
  return file
}
