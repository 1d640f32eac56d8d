/** `doctor`: what is not well, and what to do about it. */
import type { Command } from 'commander'
import { type Context, contextOf } from '../context.ts'
import { lookAtAccess, lookAtEras, lookAtOrigin } from '../doctor/access.ts'
import type { Finding } from '../doctor/finding.ts'
import { lookAtGateway } from '../doctor/gateway.ts'
import { lookAtServices } from '../doctor/services.ts'
import { EXIT, Failure } from '../failure.ts'

const MARKS = {
  ok: { mark: '✓', style: 'green' },
  note: { mark: '·', style: 'dim' },
  warning: { mark: '!', style: 'yellow' },
  wrong: { mark: '✗', style: 'red' },
} as const

export function addDoctor(program: Command): void {
  program
    .command('doctor')
    .description('say what is not well, and what to do; exits with 1 where something is wrong')
    .option('--origin <origin>', 'pages of this origin are to connect')
    .action(async ({ origin }: { origin?: string }, command: Command) => {
      const context = await contextOf(command)
      const { terminal, isJson } = context
      const findings = await terminal.progress(`Looking at ${context.place.url}`, look(context, origin))
      if (isJson) terminal.json(JSON.stringify({ items: findings }))
      else for (const finding of findings) tell(context, finding)
      const count = findings.filter(({ verdict }) => verdict === 'wrong').length
      if (count > 0)
        throw new Failure(count === 1 ? 'One thing is wrong.' : `${count} things are wrong.`, EXIT.failed)
    })
}

async function look(context: Context, origin: string | undefined): Promise<readonly Finding[]> {
  const { findings, isThere } = await lookAtGateway(context)
  if (!isThere) return findings
  const access = await lookAtAccess(context)
  const [eras, origins] = [await lookAtEras(context), await lookAtOrigin(context, origin)]
  const isOpen = !access.some(({ verdict }) => verdict === 'wrong')
  return [...findings, ...access, ...eras, ...origins, ...(isOpen ? await lookAtServices(context) : [])]
}

function tell({ terminal }: Context, { check, verdict, detail, advice }: Finding): void {
  const { mark, style } = MARKS[verdict]
  terminal.print(`${mark} ${check}: ${detail}`, style)
  if (advice !== undefined) terminal.print(`    ${advice}`)
}
