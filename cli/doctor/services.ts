/** Whether calls get through to each service, and whether all of its tools are given to callers. */
import type { Context } from '../context.ts'
import { Failure } from '../failure.ts'
import { segment, take, takeAll } from '../gateway.ts'
import { type Finding, note, warning, well, wrong } from './finding.ts'
import { failureOf } from './gateway.ts'

export async function lookAtServices({ api }: Context): Promise<readonly Finding[]> {
  const listed = await takeAll((query) => api.servers.$get({ query })).catch(failureOf)
  if (listed instanceof Failure)
    return [wrong('services', listed.message, 'Use a credential that may manage services.')]
  if (listed.value.length === 0) return [note('services', 'none yet: switchyard services add <name> <url>')]
  const findings: Finding[] = []
  for (const { name, isEnabled } of listed.value) {
    findings.push(
      isEnabled ? await lookAtHealth(api, name) : note(name, `disabled: switchyard services enable ${name}`),
    )
    findings.push(...(await lookAtTools(api, name)))
  }
  return findings
}

async function lookAtHealth(api: Context['api'], name: string): Promise<Finding> {
  const answer = await take(api.servers[':id'].health.$get({ param: { id: segment(name) } })).catch(failureOf)
  if (answer instanceof Failure) return wrong(name, answer.message, 'Try again in a moment.')
  const { status, statusReason, breaker, healthyInstances, totalInstances } = answer.value
  const figures = `circuit ${breaker}, ${healthyInstances} of ${totalInstances} instances healthy`
  if (status === 'healthy') return well(name, figures)
  const detail = statusReason ?? figures
  return status === 'degraded'
    ? warning(name, detail, `Look at: switchyard services show ${name}`)
    : wrong(name, detail, `When it is well again: switchyard services refresh ${name}`)
}

async function lookAtTools(api: Context['api'], name: string): Promise<Finding[]> {
  const answer = await take(api.servers[':id'].$get({ param: { id: segment(name) } })).catch(failureOf)
  const withheld = answer instanceof Failure ? [] : (answer.value.withheld ?? [])
  if (withheld.length === 0) return []
  const tools = withheld.map(({ tool, reason }) => `${tool} (${reason})`).join(', ')
  const advice = `Read GET /api/v1/servers/${name}/definitions, then approve them there.`
  return [warning(name, `withheld from callers: ${tools}`, advice)]
}
