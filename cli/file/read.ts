/** `switchyard.json` as it is read: references put in, checked by its schema, nothing named twice. Pure. */
import { misuse } from '../failure.ts'
import type { Environment } from '../gateway.ts'
import { describeIssues } from '../issue.ts'
import { type Missing, isReference, resolveReferences } from '../reference.ts'
import { type GatewayFile, gatewayFile } from './shape.ts'

/** Where secrets stand: put in no sooner than they are sent, so that nobody needs them for a preview. */
const SECRET = /^(services\.\d+\.(auth|headers)|users\.\d+\.password)(\.|$)/

/** Throws a line for each fault; `source` names the file. */
export function readGatewayFile(given: unknown, source: string, env: Environment): GatewayFile {
  const { value, missing } = resolveReferences(given, env, isSecretPath)
  const checked = gatewayFile.safeParse(value)
  const faults = [
    ...missing.map(describeMissing),
    ...(checked.success ? repeated(checked.data) : describeIssues(checked.error.issues)),
  ]
  if (checked.success && faults.length === 0) return checked.data
  throw misuse(faults.map((fault) => `${source}: ${fault}`).join('\n'))
}

const isSecretPath = (path: readonly string[]): boolean => SECRET.test(path.join('.'))

export const describeMissing = ({ path, name }: Missing): string =>
  `${path.join('.')}: ${name} is not set in the environment`

function repeated({ services, tools, toolsets, permissions, users }: GatewayFile): string[] {
  return [
    ...repeatedIn('services', services, ({ name }) => name),
    ...repeatedIn('tools', tools, ({ service, tool }) => `${service}/${tool}`),
    ...repeatedIn('toolsets', toolsets, ({ slug }) => slug),
    ...repeatedIn('permissions', permissions, ({ agentType, tool }) => `${agentType} ${tool}`),
    ...repeatedIn('users', users, ({ username }) => username),
  ]
}

function repeatedIn<Item>(
  section: string,
  items: readonly Item[] = [],
  nameOf: (item: Item) => string,
): string[] {
  const names = items.map(nameOf)
  return names.flatMap((name, at) =>
    names.indexOf(name) < at ? [`${section}.${at}: '${name}' is there twice`] : [],
  )
}

/** Secrets that stand in the file themselves, by their places. */
export function plainSecrets({ services = [] }: GatewayFile): string[] {
  return services.flatMap(({ auth }, at) => {
    const members = Object.entries(auth ?? {}).filter(([name]) => SECRETS.has(name))
    return members
      .filter(([, value]) => typeof value === 'string' && !isReference(value))
      .map(([name]) => `services.${at}.auth.${name}`)
  })
}

const SECRETS: ReadonlySet<string> = new Set([
  'token',
  'apiKey',
  'accessToken',
  'refreshToken',
  'clientSecret',
])
