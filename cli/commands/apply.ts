/** `apply` and `validate`: a gateway becomes what its file says, after a preview. */
import type { Command } from 'commander'
import { type Context, contextOf } from '../context.ts'
import { EXIT, Failure } from '../failure.ts'
import { readActual } from '../file/actual.ts'
import { diffOf, summaryOf } from '../file/diff.ts'
import { planOf, requireSecrets, scopeOf, sectionsOf } from '../file/plan.ts'
import { plainSecrets, readGatewayFile } from '../file/read.ts'
import type { GatewayFile } from '../file/shape.ts'
import type { Step } from '../file/step.ts'
import { readJsonFile } from '../input.ts'
import type { Terminal } from '../terminal.ts'

const DEFAULT_FILE = 'switchyard.json'

type Flags = { dryRun?: true; check?: true; prune?: true; secrets?: true }

export function addApply(program: Command): void {
  program
    .command('apply [file]')
    .description(`make the gateway what ${DEFAULT_FILE} says, after a preview`)
    .option('--dry-run', 'preview only')
    .option('--check', 'preview only, and exit with 2 where there are differences')
    .option('--prune', 'remove what the file does not name, in the sections that it has')
    .option('--secrets', 'set secrets again: they cannot be compared')
    .action(async (file: string | undefined, flags: Flags, command: Command) =>
      apply(await contextOf(command), file ?? DEFAULT_FILE, flags),
    )
  program
    .command('validate [file]')
    .description(`check ${DEFAULT_FILE} without a gateway`)
    .action(async (given: string | undefined, _flags: object, command: Command) => {
      const context = await contextOf(command)
      const file = await read(context, given ?? DEFAULT_FILE)
      const counts = sectionsOf(file).map((section) => `${section} ${file[section]?.length}`)
      if (context.isJson) context.terminal.json(JSON.stringify({ isValid: true }))
      else context.terminal.print(`The file is valid: ${counts.join(', ') || 'it says nothing'}.`)
    })
}

async function apply(context: Context, name: string, flags: Flags): Promise<void> {
  const { api, terminal, isJson, place, env } = context
  const file = await read(context, name)
  const actual = await terminal.progress(`Reading ${place.url}`, readActual(api, scopeOf(file)))
  const steps = planOf(file, actual, {
    env,
    isPruning: flags.prune === true,
    resetsSecrets: flags.secrets === true,
  })
  const isPreview = flags.dryRun === true || flags.check === true
  if (!isJson) preview(terminal, steps)
  const done = isPreview || steps.length === 0 ? 0 : await carryOut(context, steps)
  if (isJson) terminal.json(JSON.stringify({ steps: steps.map(viewStep), done }))
  if (flags.check && steps.length > 0) throw new Failure('The gateway is not as the file says.', EXIT.usage)
  if (!isPreview && done < steps.length) throw unfinished(steps, done)
}

async function read({ terminal, env }: Context, name: string): Promise<GatewayFile> {
  const file = readGatewayFile(await readJsonFile(name, terminal), name, env)
  for (const place of plainSecrets(file))
    terminal.say(
      `${name}: ${place} holds a secret itself. Write \${NAME} and set it in the environment.`,
      'yellow',
    )
  return file
}

function preview(terminal: Terminal, steps: readonly Step[]): void {
  for (const { text, style } of diffOf(steps)) terminal.print(text, style)
  terminal.print(summaryOf(steps), 'bold')
}

/** One after the other; the first that is refused ends it, and what was done before stays done. Gives how many are done. */
async function carryOut(
  { api, terminal, isAgreed, place }: Context,
  steps: readonly Step[],
): Promise<number> {
  requireSecrets(steps)
  await terminal.confirm(`${summaryOf(steps)} Do this at ${place.url}?`, isAgreed)
  for (const [at, step] of steps.entries()) {
    const label = `${step.action} ${step.what}`
    try {
      await terminal.progress(label, step.carryOut(api))
      terminal.say(`✓ ${label}`, 'green')
    } catch (error) {
      if (!(error instanceof Failure)) throw error
      terminal.say(`✗ ${label}: ${error.message}`, 'red')
      return at
    }
  }
  return steps.length
}

function unfinished(steps: readonly Step[], done: number): Failure {
  const left = steps.slice(done + 1).map(({ action, what }) => `${action} ${what}`)
  const rest = left.length === 0 ? '' : ` Not done either: ${left.join(', ')}.`
  return new Failure(`${done} of ${steps.length} steps are done.${rest} Mend it and apply again.`)
}

const viewStep = ({ action, what, differences }: Step) => ({ action, what, differences })
