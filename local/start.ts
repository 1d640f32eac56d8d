/**
 * `npm start`: the whole of Switchyard on a laptop. Database, cache and example services are embedded unless the
 * environment names others; state lives in `.local/`.
 */
import { join } from 'node:path'
import { type Bindings, bindingsOf, DEVELOPMENT } from './bindings.ts'
import { startChild, waitUntilReady } from './child.ts'
import { openLogSink } from './log.ts'
import { migrate } from './migration.ts'
import { readOptions, readPort } from './options.ts'
import { isFree } from './port.ts'
import { lockDirectory } from './postgres/lock.ts'
import { type Program, runProgram } from './program.ts'
import { registerService } from './registration.ts'
import { openState, readSecrets } from './state.ts'
import { openCache, openDatabase, storeBindings } from './stores.ts'
import { buildBundle, type Runtime, startWorkerd } from './workerd.ts'
import { startWrangler } from './wrangler.ts'
import { welcome } from './welcome.ts'

const EXAMPLES = [
  { name: 'shopping-service', variable: 'SHOPPING_SERVICE_PORT', port: 3002 },
  { name: 'user-service', variable: 'USER_SERVICE_PORT', port: 3003 },
] as const

type Example = { readonly name: string; readonly port: number }

await runProgram(async (program) => {
  const { env } = process
  const options = readOptions(process.argv.slice(2), env)
  const examples = options.hasExamples
    ? EXAMPLES.map(({ name, variable, port }) => ({
        name,
        port: readPort(variable, env[variable] ?? String(port)),
      }))
    : []
  const directory = await openState(env)
  program.keep(await lockState(directory))
  await requireFreePorts(options.port, examples)

  console.log('Switchyard starts:')
  const [database, cache] = await Promise.all([
    program.start(
      'database',
      () => openDatabase(env, directory),
      ({ what }) => what,
    ),
    program.start(
      'cache',
      () => openCache(env),
      ({ what }) => what,
    ),
    ...examples.map((example) => startExample(program, example)),
  ])
  const bindings: Bindings = {
    ...DEVELOPMENT,
    ...(await readSecrets(directory)),
    ...bindingsOf(env),
    ...storeBindings(database, cache),
  }
  const [{ url, child }] = await Promise.all([
    program.start(
      'gateway',
      () => startGateway(options, bindings, directory),
      (gateway) => `${gateway.url} (${options.runtime})`,
    ),
    announceMigrations(database.databaseUrl),
  ])
  program.watch('The gateway', child)
  for (const { name, port } of examples) {
    await registerService(url, bindings['API_KEY'] ?? '', { name, url: `http://127.0.0.1:${port}/mcp` })
  }
  console.log(await welcome(url, bindings))
})

async function announceMigrations(databaseUrl: string): Promise<void> {
  const applied = await migrate(databaseUrl)
  if (applied > 0) console.log(`  ✓ ${'migrations'.padEnd(10)} ${applied} applied`)
}

async function startGateway(
  { port, runtime }: { readonly port: number; readonly runtime: string },
  bindings: Bindings,
  directory: string,
): Promise<Runtime> {
  const sink = openLogSink((line) => void process.stdout.write(line))
  if (runtime === 'wrangler')
    return await startWrangler({ port, bindings, directory: join(directory, 'wrangler'), sink })
  const bundleDirectory = await buildBundle(join(directory, 'bundle'))
  const dataDirectory = join(directory, 'objects')
  return await startWorkerd({ port, bindings, bundleDirectory, dataDirectory, sink })
}

async function startExample(program: Program, { name, port }: Example): Promise<unknown> {
  const script = join(import.meta.dirname, `../examples/${name}/server.ts`)
  const variable = `${name.toUpperCase().replace('-', '_')}_PORT`
  // The token of the gateway's callers is none of the example's business.
  const { MCP_BEARER_TOKEN: _, ...rest } = process.env
  const env = { ...rest, [variable]: String(port) }
  const url = `http://127.0.0.1:${port}`
  const open = async () => {
    const child = startChild({ command: process.execPath, args: [script], env })
    await waitUntilReady(name, `${url}/health`, child, 20_000)
    return child
  }
  return await program.start('example', open, () => `${name} on ${url}`)
}

/** One run at a time: two would overwrite each other's settings, whatever database they use. */
async function lockState(directory: string): Promise<{ close(): Promise<void> }> {
  try {
    return { close: await lockDirectory(join(directory, 'run')) }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new Error(`Switchyard runs already: ${reason} (SWITCHYARD_STATE_DIR).`, { cause: error })
  }
}

async function requireFreePorts(gatewayPort: number, examples: readonly Example[]): Promise<void> {
  await requireFreePort('the gateway', gatewayPort, '`npm start -- --port N`')
  const taken = new Set([gatewayPort])
  for (const { name, port } of examples) {
    if (taken.has(port)) throw new Error(`Port ${port} is asked for twice; ${name} needs one of its own.`)
    taken.add(port)
    await requireFreePort(name, port, '`npm start -- --no-examples`')
  }
}

async function requireFreePort(name: string, port: number, remedy: string): Promise<void> {
  if (await isFree(port)) return
  throw new Error(`Port ${port} for ${name} is taken. Stop what listens there, or use ${remedy}.`)
}
