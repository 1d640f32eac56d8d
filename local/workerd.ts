/**
 * The production bundle on plain workerd, as `npm run serve` and the tests run it. Everything that shapes the
 * Worker comes from `wrangler.toml`; nothing is configured twice.
 */
import { execFile } from 'node:child_process'
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { createRequire } from 'node:module'
import { isIPv6 } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { unstable_readConfig } from 'wrangler'
import { describeWorker, ENTRY, type WorkerConfig } from './capnp.ts'
import { type Child, startChild, waitUntilReady } from './child.ts'
import { findFreePorts } from './port.ts'

const ROOT = join(import.meta.dirname, '..')
const require = createRequire(import.meta.url)
const READY_WITHIN_MS = 20_000
/** The only schedule of `wrangler.toml`; any other would need more than an interval. */
const EVERY_MINUTE = { cron: '* * * * *', intervalMs: 60_000 } as const

/** A gateway that runs, whatever runs it. */
export type Runtime = { readonly url: string; readonly child: Child; close(): Promise<void> }

/** The first of `urls` is `url`; behind each is an isolate of its own. */
export type Workerd = Runtime & { readonly urls: readonly string[] }

export type WorkerdOptions = {
  /** What `buildBundle` gave. */
  readonly bundleDirectory: string
  /** What shapes the Worker; by default `wrangler.toml`. */
  readonly config?: WorkerConfig
  /** 0: any free port. */
  readonly port: number
  readonly host?: string
  /** Settings and secrets. */
  readonly bindings: Readonly<Record<string, string>>
  /** Where Durable Objects keep their data; absent, it ends with the gateway. */
  readonly dataDirectory?: string
  /** Where what the Worker's runtime says goes; nowhere when absent. */
  readonly sink?: (text: string) => void
  /** So many isolates in one process, as on the edge, that share the Durable Objects; the others on free ports. */
  readonly isolates?: number
  /** Where a debugger may look into the isolates: `host:port`. Nowhere when absent. */
  readonly inspectorAddress?: string | undefined
  readonly v8Flags?: readonly string[]
}

/**
 * Builds the bundle as a deployment would, without deploying. Resolves to its directory. `isMinified: false` keeps the
 * names of functions.
 */
export async function buildBundle(
  directory = join(ROOT, 'dist'),
  { isMinified = true }: { readonly isMinified?: boolean } = {},
): Promise<string> {
  const wrangler = join(dirname(require.resolve('wrangler/package.json')), 'bin/wrangler.js')
  const args = [wrangler, 'deploy', '--dry-run', '--outdir', directory]
  if (!isMinified) args.push('--no-minify')
  const env = {
    ...process.env,
    WRANGLER_SEND_METRICS: 'false',
    WRANGLER_WRITE_LOGS: 'false',
    CI: '1',
    NO_COLOR: '1',
  }
  try {
    await promisify(execFile)(process.execPath, args, { cwd: ROOT, env })
  } catch (error) {
    const said = error instanceof Error && 'stderr' in error ? String(error.stderr) : String(error)
    throw new Error(`The Worker could not be built:\n${said}`, { cause: error })
  }
  return directory
}

/** What `wrangler.toml` says. */
export const readConfig = (): WorkerConfig => unstable_readConfig({ config: join(ROOT, 'wrangler.toml') })

/** Everything that workerd needs to start, on disk. */
export type Preparation = {
  readonly command: string
  readonly args: readonly string[]
  readonly directory: string
  readonly urls: readonly string[]
  readonly scheduleSocket: string
  readonly isScheduled: boolean
  /** Removes what is read at the start. Whoever is killed cannot tidy up, and secrets must not outlive their process. */
  forgetSecrets(): Promise<void>
  forget(): Promise<void>
}

export async function prepareWorkerd(options: WorkerdOptions): Promise<Preparation> {
  const { host = '127.0.0.1', bundleDirectory, bindings, isolates = 1, inspectorAddress } = options
  const free = await findFreePorts(isolates, host)
  const ports = options.port === 0 ? free : [options.port, ...free.slice(1)]
  // The secrets stand in this directory: mkdtemp lets only its owner in.
  const directory = await mkdtemp(join(tmpdir(), 'switchyard-'))
  const scheduleSocket = join(directory, 'schedule')
  const objectsDirectory = options.dataDirectory ?? join(directory, 'objects')
  await mkdir(objectsDirectory, { recursive: true, mode: 0o700 })
  const addresses = ports.map((port) => `${isIPv6(host) ? `[${host}]` : host}:${port}`)
  const [address = '', ...furtherAddresses] = addresses
  const config = options.config ?? readConfig()
  const placement = {
    address,
    furtherAddresses,
    scheduleSocket,
    objectsDirectory,
    assetsDirectory: config.assets?.directory && join(ROOT, config.assets.directory),
    bindings,
    v8Flags: options.v8Flags,
  }
  const files = ['index.js', 'entry.js', 'config.capnp'].map((name) => join(directory, name))
  const [bundle = '', entry = '', description = ''] = files
  await copyFile(join(bundleDirectory, 'index.js'), bundle)
  await writeFile(entry, ENTRY)
  await writeFile(description, describeWorker(config, placement), { mode: 0o600 })
  const inspector = inspectorAddress === undefined ? [] : ['--inspector-addr', inspectorAddress]
  return {
    command: findBinary(),
    args: ['serve', ...inspector, description],
    directory,
    urls: addresses.map((each) => `http://${each}`),
    scheduleSocket,
    isScheduled: (config.triggers?.crons ?? []).includes(EVERY_MINUTE.cron),
    forgetSecrets: async () => void (await Promise.all(files.map((file) => rm(file, { force: true })))),
    forget: () => rm(directory, { recursive: true, force: true }),
  }
}

export async function startWorkerd(options: WorkerdOptions): Promise<Workerd> {
  const prepared = await prepareWorkerd(options)
  const { command, args, directory, urls } = prepared
  const child = startChild({ command, args, cwd: directory, sink: options.sink })
  const [url = ''] = urls
  try {
    await waitUntilReady('The gateway', `${url}/health`, child, READY_WITHIN_MS)
  } catch (error) {
    await prepared.forget()
    throw error
  }
  await prepared.forgetSecrets()
  const timer = setInterval(
    () => prepared.isScheduled && runSchedule(prepared.scheduleSocket),
    EVERY_MINUTE.intervalMs,
  )
  timer.unref()
  return {
    url,
    urls,
    child,
    async close() {
      clearInterval(timer)
      await child.close()
      await prepared.forget()
    },
  }
}

/** Runs the scheduled handler once. What fails is the gateway's to log, and comes round again. */
function runSchedule(socketPath: string): void {
  const signal = AbortSignal.timeout(EVERY_MINUTE.intervalMs)
  request({ socketPath, signal }, (response) => response.resume())
    .on('error', () => undefined)
    .end()
}

/** The program that the `workerd` package brought for this platform. */
export function findBinary(): string {
  const fromWorkerd = createRequire(require.resolve('workerd/package.json'))
  const platform = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch === 'x64' ? '64' : process.arch}`
  return fromWorkerd.resolve(
    `@cloudflare/workerd-${platform}/bin/workerd${process.platform === 'win32' ? '.exe' : ''}`,
  )
}
