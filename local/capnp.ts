/**
 * The configuration of plain workerd, in Cap'n Proto's notation, from what `wrangler.toml` says. Pure: knows
 * neither files nor processes.
 */

/** The part of wrangler's configuration that shapes the Worker itself. */
export type WorkerConfig = {
  readonly name?: string | undefined
  readonly compatibility_date?: string | undefined
  readonly compatibility_flags: readonly string[]
  readonly vars: Readonly<Record<string, unknown>>
  readonly durable_objects: {
    readonly bindings: readonly { readonly name: string; readonly class_name: string }[]
  }
  readonly assets?:
    | { readonly binding?: string | undefined; readonly directory?: string | undefined }
    | undefined
  readonly migrations: readonly { readonly new_sqlite_classes?: readonly string[] | undefined }[]
  readonly triggers?: { readonly crons?: readonly string[] | undefined }
}

export type Placement = {
  /** `host:port`. */
  readonly address: string
  /** At each of these one more isolate of the Worker; the Durable Objects of the first are those of all. */
  readonly furtherAddresses?: readonly string[]
  /** Path of the socket on which a request runs the scheduled handler. */
  readonly scheduleSocket: string
  /** Where Durable Objects keep their data. */
  readonly objectsDirectory: string
  /** Where the files are that the Worker reads through the binding for assets; nowhere when absent. */
  readonly assetsDirectory?: string | undefined
  /** Settings and secrets; they win over the vars of `wrangler.toml`. */
  readonly bindings: Readonly<Record<string, string>>
  /** For V8, as on a command line. */
  readonly v8Flags?: readonly string[] | undefined
}

/**
 * The module that workerd starts: the bundle as it is, and beside it an entrypoint that runs its scheduled
 * handler, for plain workerd keeps no schedule. Only the socket above leads there.
 */
export const ENTRY = `import worker from 'index.js'
export * from 'index.js'
export { default } from 'index.js'
export const schedule = {
  async fetch(request, env, context) {
    await worker.scheduled?.({ cron: '* * * * *', scheduledTime: Date.now(), noRetry() {} }, env, context)
    return new Response(null, { status: 204 })
  },
}
`

export function describeWorker(config: WorkerConfig, placement: Placement): string {
  const { bindings, address, furtherAddresses = [], scheduleSocket, objectsDirectory } = placement
  const { assetsDirectory, v8Flags = [] } = placement
  const further = furtherAddresses.map((at, index) => ({ name: `gateway-${index + 2}`, address: at }))
  const services = [
    '(name = "gateway", worker = .gateway)',
    ...further.map(({ name }) => `(name = ${quote(name)}, worker = .further)`),
    `(name = "internet", network = (allow = ${list(reachOf(bindings).map(quote))}, tlsOptions = (trustBrowserCas = true)))`,
    `(name = "objects", disk = (path = ${quote(objectsDirectory)}, writable = true))`,
    ...(assetsDirectory ? [`(name = "assets", disk = (path = ${quote(assetsDirectory)}))`] : []),
  ]
  const sockets = [{ name: 'gateway', address }, ...further].map(
    ({ name, address: at }) =>
      `(name = ${quote(`http-${name}`)}, address = ${quote(at)}, http = (), service = ${quote(name)})`,
  )
  const objects = config.durable_objects.bindings
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    ${services.join(',\n    ')},
  ],
  sockets = [
    ${sockets.join(',\n    ')},
    (name = "schedule", address = ${quote(`unix:${scheduleSocket}`)}, http = (), service = (name = "gateway", entrypoint = "schedule")),
  ],
  v8Flags = ${list(v8Flags.map(quote))},
);
const gateway :Workerd.Worker = (
${describeCode(config, placement, (className) => quote(className))}${objects.length > 0 ? describeObjects(config) : ''}
);
const further :Workerd.Worker = (
${describeCode(config, placement, (className) => `(className = ${quote(className)}, serviceName = "gateway")`)}
);
`
}

/** `namespaceOf` gives the notation by which the Worker finds the objects of a class. */
function describeCode(
  config: WorkerConfig,
  { bindings, assetsDirectory }: Placement,
  namespaceOf: (className: string) => string,
): string {
  const texts = Object.entries({ ...config.vars, ...bindings }).map(
    ([name, value]) =>
      `(name = ${quote(name)}, text = ${quote(typeof value === 'string' ? value : JSON.stringify(value))})`,
  )
  const namespaces = config.durable_objects.bindings.map(
    ({ name, class_name }) => `(name = ${quote(name)}, durableObjectNamespace = ${namespaceOf(class_name)})`,
  )
  const binding = assetsDirectory === undefined ? undefined : config.assets?.binding
  const assets = binding === undefined ? [] : [`(name = ${quote(binding)}, service = "assets")`]
  return `  modules = [
    (name = "entry.js", esModule = embed "entry.js"),
    (name = "index.js", esModule = embed "index.js"),
  ],
  compatibilityDate = ${quote(config.compatibility_date ?? '')},
  compatibilityFlags = ${list(config.compatibility_flags.map(quote))},
  bindings = ${list([...texts, ...namespaces, ...assets])},`
}

function describeObjects({ name = 'worker', durable_objects, migrations }: WorkerConfig): string {
  const sqlite = new Set(migrations.flatMap(({ new_sqlite_classes = [] }) => new_sqlite_classes))
  // One class may stand behind several bindings.
  const classes = [...new Set(durable_objects.bindings.map(({ class_name }) => class_name))]
  const namespaces = classes.map(
    (className) =>
      `(className = ${quote(className)}, uniqueKey = ${quote(`${name}-${className}`)}, enableSql = ${sqlite.has(className)})`,
  )
  return `
  durableObjectNamespaces = ${list(namespaces)},
  durableObjectStorage = (localDisk = "objects"),`
}

/**
 * The addresses that may be reached. Database and cache stand behind endpoints on loopback, so that stays open
 * even where private upstreams are not allowed. What remains: should the gateway's own address guard fail, a
 * registered service could reach what listens on this machine's 127.0.0.1, but no other private address.
 */
const reachOf = (bindings: Placement['bindings']): string[] =>
  bindings['ALLOW_PRIVATE_UPSTREAMS'] === 'true' ? ['public', 'private', 'local'] : ['public', '127.0.0.1/32']

const list = (items: readonly string[]): string => `[${items.join(', ')}]`

/** A text in Cap'n Proto's notation: ASCII with escapes, every other byte in octal. */
export const quote = (text: string): string =>
  `"${[...new TextEncoder().encode(text)]
    .map((byte) =>
      byte >= 32 && byte < 127 && byte !== 34 && byte !== 92 ? String.fromCharCode(byte) : octal(byte),
    )
    .join('')}"`

const octal = (byte: number): string => `\\${byte.toString(8).padStart(3, '0')}`
