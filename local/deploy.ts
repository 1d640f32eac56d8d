/** `npm run deploy`: secrets checked, migrations applied, then `wrangler deploy`. Each step only after the last. */
import { spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { migrate } from './migration.ts'
import { runProgram } from './program.ts'
import { isFirstDeployment, missingSecrets, readComplaint, readSecretNames } from './secrets.ts'
import { openState } from './state.ts'
import { openDatabase } from './stores.ts'

const require = createRequire(import.meta.url)
const WRANGLER = join(dirname(require.resolve('wrangler/package.json')), 'bin/wrangler.js')

await runProgram(async (program) => {
  const { env } = process
  const missing = missingSecrets(listSecrets())
  if (missing.length > 0) throw new Error(missing.join('\n'))
  if (!env['DATABASE_URL'])
    throw new Error('DATABASE_URL is not set: export the address that the secret holds, for the migrations.')
  const open = async () => await openDatabase(env, await openState(env))
  const { databaseUrl } = await program.start('database', open, ({ what }) => what)
  console.log(`  ✓ migrations ${await migrate(databaseUrl)} applied`)
  const { status } = spawnSync(process.execPath, [WRANGLER, 'deploy'], { stdio: 'inherit' })
  await program.end(status ?? 1)
})

/** None before the first deployment: `wrangler secret put` is what creates the Worker then. */
function listSecrets(): readonly string[] {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [WRANGLER, 'secret', 'list', '--format', 'json'],
    { encoding: 'utf8', env: { ...process.env, WRANGLER_HIDE_BANNER: 'true' } },
  )
  if (status === 0) return readSecretNames(stdout)
  const said = `${stdout}\n${stderr}`
  if (isFirstDeployment(said)) return []
  throw new Error(`The secrets of the deployment could not be read: ${readComplaint(said)}
Log in with \`npx wrangler login\`, or export CLOUDFLARE_API_TOKEN.`)
}
