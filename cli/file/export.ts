/** A gateway as a file that makes one like it. Secrets are not in it: they never leave the gateway. Pure. */
import type { Actual, ActualService } from './actual.ts'
import type { GatewayFile, WantedService } from './shape.ts'

/** Settings that a row shows and a file takes. */
const SETTINGS = [
  'transport',
  'loadBalancer',
  'timeoutMs',
  'rateLimit',
  'circuitBreaker',
  'retry',
  'cacheTtlSeconds',
  'cacheScope',
  'trusted',
  'pinDefinitions',
  'fallbackTools',
] as const

export function fileOf({ services, tools, toolsets, permissions, users }: Actual): object {
  const settings = [...tools.values()].filter((tool) => Object.keys(tool.settings).length > 0)
  return {
    $schema: './switchyard.schema.json',
    services: [...services.values()].map(({ row }) => serviceOf(row)),
    tools: settings.map(({ service, tool, settings: own }) => ({ service, tool, ...own })),
    toolsets: [...toolsets].map(([slug, { tools: chosen }]) => ({ slug, tools: [...chosen] })),
    permissions: [...permissions.rules.values()],
    users: [...users.values()].map(({ row: { username, role, agentType } }) => ({
      username,
      role,
      ...(agentType !== undefined && { agentType }),
    })),
  } satisfies GatewayFile
}

/** Services whose credential has to be written down by hand: which kind it is is not shown. */
export const withCredentials = ({ services }: Actual): readonly string[] =>
  [...services.values()].filter(({ row }) => row.hasCredential).map(({ row }) => row.name)

function serviceOf(row: ActualService['row']): WantedService {
  const { name, url, isEnabled, headers, instances } = row
  const settings: Partial<WantedService> = Object.fromEntries(
    SETTINGS.filter((setting) => row[setting] !== undefined).map((setting) => [setting, row[setting]]),
  )
  return {
    name,
    url,
    ...settings,
    ...(instances.length > 0 && {
      instances: instances.map(({ url: place, weight }) => ({ url: place, weight })),
    }),
    ...(headers && { headers: referencesFor(name, Object.keys(headers)) }),
    ...(!isEnabled && { isEnabled }),
  }
}

/** `X-Team` of `user-service` is `${USER_SERVICE_X_TEAM}`. */
const referencesFor = (service: string, names: readonly string[]): Record<string, string> =>
  Object.fromEntries(names.map((name) => [name, `\${${variableOf(`${service}_${name}`)}}`]))

const variableOf = (text: string): string => {
  const variable = text.toUpperCase().replace(/[^A-Z0-9]+/g, '_')
  return /^\d/.test(variable) ? `_${variable}` : variable
}
