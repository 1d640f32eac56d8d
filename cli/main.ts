/** Where the program begins. A reader of its output that goes away, as `head` does, ends it quietly. */
import { run } from './run.ts'

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0)
  throw error
})
process.exitCode = await run(process.argv.slice(2))
