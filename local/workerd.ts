/**
 * The production bundle on plain workerd, as `npm run serve` and the tests run it. Everything that shapes the
 * Worker comes from `wrangler.toml`; nothing is configured twice.
 */
import { execFile } from 'node:child_process'
import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { unstable_readConfig } from 'wrangler'
import { type Child, startChild, waitUntilReady } from './child.ts'
import { findFreePort } from './port.ts'

const ROOT = join(import.meta.dirname, '..')
const require = createRequire(import.meta.url)
const READY_WITHIN_MS = 20_000

/** A gateway that runs, whatever runs it. */
export type Runtime = { readonly url: string; readonly child: Child; close(): Promise<void> }

export type WorkerdOptions = {
  /** What `buildBundle` gave. */
  readonly bundleDirectory: string
  /** 0: any free port. */
  readonly port: number
  readonly host?: string
  /** Settings and secrets. */
  readonly bindings: Readonly<Record<string, string>>
  /** Where what the Worker's runtime says goes; nowhere when absent. */
  readonly sink?: (text: string) => void
}

/** Builds the bundle as a deployment would, without deploying. Resolves to its directory. */
export async function buildBundle(directory = join(ROOT, 'dist')): Promise<string> {
  const wrangler = join(dirname(require.resolve('wrangler/package.json')), 'bin/wrangler.js')
  const args = [wrangler, 'deploy', '--dry-run', '--outdir', directory]
  const env = { ...process.env, WRANGLER_SEND_METRICS: 'false', CI: '1', NO_COLOR: '1' }
  try {
    await promisify(execFile)(process.execPath, args, { cwd: ROOT, env })
  } catch (error) {
    const said = error instanceof Error && 'stderr' in error ? String(error.stderr) : String(error)
    throw new Error(`The Worker could not be built:\n${said}`, { cause: error })
  }
  return directory
}

export async function startWorkerd(options: WorkerdOptions): Promise<Runtime> {
  const { host = '127.0.0.1', bundleDirectory, bindings, sink } = options
  const port = options.port === 0 ? await findFreePort() : options.port
  // The secrets stand in this directory: mkdtemp lets only its owner in.
  const directory = await mkdtemp(join(tmpdir(), 'switchyard-'))
  await copyFile(join(bundleDirectory, 'index.js'), join(directory, 'index.js'))
  await writeFile(join(directory, 'config.capnp'), describeWorker(`${host}:${port}`, bindings))
  const command = { command: findBinary(), args: ['serve', 'config.capnp'], cwd: directory }
  const child = startChild(sink ? { ...command, sink } : command)
  const forget = (): Promise<void> => rm(directory, { recursive: true, force: true })
  const url = `http://${host}:${port}`
  try {
    await waitUntilReady('The gateway', `${url}/health`, child, READY_WITHIN_MS)
  } catch (error) {
    await forget()
    throw error
  }
  return {
    url,
    child,
    async close() {
      await child.close()
      await forget()
    },
  }
}

function describeWorker(address: string, bindings: Readonly<Record<string, string>>): string {
  const { compatibility_date, compatibility_flags, vars } = unstable_readConfig({
    config: join(ROOT, 'wrangler.toml'),
  })
  const all = Object.entries({ ...vars, ...bindings })
  const texts = all.map(([name, text]) => `(name = ${quote(name)}, text = ${quote(String(text))})`)
  // Loopback stays open for the local database and cache; the gateway's own address guard stands above this.
  const reach =
    bindings['ALLOW_PRIVATE_UPSTREAMS'] === 'true'
      ? ['public', 'private', 'local']
      : ['public', '127.0.0.1/32']
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "gateway", worker = .gateway),
    (name = "internet", network = (allow = [${reach.map(quote).join(', ')}], tlsOptions = (trustBrowserCas = true))),
  ],
  sockets = [(name = "http", address = ${quote(address)}, http = (), service = "gateway")],
);
const gateway :Workerd.Worker = (
  modules = [(name = "index.js", esModule = embed "index.js")],
  compatibilityDate = ${quote(compatibility_date ?? '')},
  compatibilityFlags = [${compatibility_flags.map(quote).join(', ')}],
  bindings = [${texts.join(', ')}],
);
`
}

/** A text in Cap'n Proto's notation: ASCII with escapes, every other byte in octal. */
const quote = (text: string): string =>
  `"${[...new TextEncoder().encode(text)]
    .map((byte) =>
      byte >= 32 && byte < 127 && byte !== 34 && byte !== 92 ? String.fromCharCode(byte) : octal(byte),
    )
    .join('')}"`

const octal = (byte: number): string => `\\${byte.toString(8).padStart(3, '0')}`

function findBinary(): string {
  const fromWorkerd = createRequire(require.resolve('workerd/package.json'))
  const platform = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch === 'x64' ? '64' : process.arch}`
  return fromWorkerd.resolve(
    `@cloudflare/workerd-${platform}/bin/workerd${process.platform === 'win32' ? '.exe' : ''}`,
  )
}
