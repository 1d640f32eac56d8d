/** `npm run db:migrate`: brings the database of `DATABASE_URL` to the schema of `migrations/`. */
import { migrate } from './migration.ts'
import { runProgram } from './program.ts'
import { openState } from './state.ts'
import { openDatabase } from './stores.ts'

await runProgram(async (program) => {
  const { env } = process
  if (!env['DATABASE_URL']) throw new Error('DATABASE_URL is not set: export DATABASE_URL=postgres://…')
  const open = async () => await openDatabase(env, await openState(env))
  const { databaseUrl } = await program.start('database', open, ({ what }) => what)
  const applied = await migrate(databaseUrl)
  console.log(applied === 0 ? 'Nothing to migrate.' : `${applied} migrations applied.`)
  await program.end(0)
})
