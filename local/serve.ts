/**
 * `npm run serve`: the production bundle on plain workerd, for one's own machine or a container. Every secret is
 * the operator's own; `DATABASE_URL` names any Postgres, `REDIS_URL` any Redis (absent: in memory).
 */
import { join } from 'node:path'
import { bindingsOf } from './bindings.ts'
import { migrate } from './migration.ts'
import { readPort } from './options.ts'
import { isFree } from './port.ts'
import { runProgram } from './program.ts'
import { openState } from './state.ts'
import { openCache, openDatabase, storeBindings } from './stores.ts'
import { buildBundle, startWorkerd } from './workerd.ts'

const REQUIRED = ['DATABASE_URL', 'API_KEY', 'MCP_BEARER_TOKEN', 'ENCRYPTION_KEY', 'JWT_SECRET'] as const

await runProgram(async (program) => {
  const { env } = process
  const missing = REQUIRED.filter((name) => !env[name])
  if (missing.length > 0)
    throw new Error(missing.map((name) => `${name} is not set: export ${name}=…`).join('\n'))
  const host = env['HOST'] ?? '127.0.0.1'
  const port = readPort('PORT', env['PORT'] ?? '8787')
  if (!(await isFree(port, host)))
    throw new Error(`Port ${port} on ${host} is taken. Stop what listens there, or set PORT.`)

  console.log('Switchyard starts:')
  const directory = await openState(env)
  const [database, cache, bundleDirectory] = await Promise.all([
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
    buildBundle(),
  ])
  await migrate(database.databaseUrl)
  const bindings = {
    ...bindingsOf(env),
    ...storeBindings(database, cache),
  }
  const dataDirectory = join(directory, 'objects')
  const sink = (text: string): void => void process.stdout.write(text)
  const start = () => startWorkerd({ host, port, bindings, bundleDirectory, dataDirectory, sink })
  const { url, child } = await program.start('gateway', start, (gateway) => gateway.url)
  program.watch('The gateway', child)
  console.log(`\nMCP endpoint ${url}/mcp`)
})
