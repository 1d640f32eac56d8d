/** The whole command line: which commands there are, and how each of them ends. */
import { Command, CommanderError, Option } from 'commander'
import { GATEWAY_INFO } from '../src/protocol/version.ts'
import { addApply } from './commands/apply.ts'
import { addAudit } from './commands/audit.ts'
import { addClient } from './commands/client.ts'
import { addDoctor } from './commands/doctor.ts'
import { addExport } from './commands/export.ts'
import { addImport } from './commands/import.ts'
import { addKeys } from './commands/keys.ts'
import { addLogin } from './commands/login.ts'
import { addPermissions } from './commands/permissions.ts'
import { addServices } from './commands/services.ts'
import { addTools } from './commands/tools.ts'
import { addToolsets } from './commands/toolsets.ts'
import { addUsage } from './commands/usage.ts'
import { addUsers } from './commands/users.ts'
import { EXIT, type ExitCode, Failure } from './failure.ts'
import { Terminal } from './terminal.ts'

const GROUPS = [
  addLogin,
  addServices,
  addTools,
  addToolsets,
  addPermissions,
  addKeys,
  addUsers,
  addUsage,
  addAudit,
  addApply,
  addExport,
  addImport,
  addClient,
  addDoctor,
]

const CLOSING = `
Environment: SWITCHYARD_URL, SWITCHYARD_API_KEY, SWITCHYARD_TOKEN (they win over what login stored), NO_COLOR.
Exit codes: 0 done; 1 refused, out of reach or not well; 2 wrong usage or file, or differences with apply --check.`

/** Runs one command line to its end. */
export async function run(args: readonly string[]): Promise<ExitCode> {
  const program = new Command('switchyard')
    .description('Operate a Switchyard gateway.')
    .version(GATEWAY_INFO.version)
    .option('--url <url>', 'address of the gateway (SWITCHYARD_URL, else that of the last login)')
    .option('--json', 'print the answers of the gateway as they are')
    .option('-y, --yes', 'do not ask before something is changed')
    .addOption(new Option('--timeout <span>', 'how long one request may take').default('90s'))
    .addHelpText('after', CLOSING)
    .showHelpAfterError('(--help shows what there is)')
    .exitOverride()
  for (const add of GROUPS) add(program)
  try {
    await program.parseAsync([...args], { from: 'user' })
    return EXIT.done
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage
    if (!(error instanceof Failure)) throw error
    new Terminal().say(error.message, 'red')
    return error.exitCode
  }
}
