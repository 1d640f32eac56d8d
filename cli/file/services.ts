/** What is to be done about services. */
import { change, registration } from '../../src/admin/api/service.ts'
import { onlyIf, segment, take } from '../gateway.ts'
import type { ActualService } from './actual.ts'
import type { WantedService } from './shape.ts'
import {
  type Difference,
  differencesOf,
  fieldsOf,
  type Known,
  type PlanOptions,
  SECRET,
  type Step,
  surplus,
  withSecrets,
} from './step.ts'

export function planServices(
  wanted: readonly WantedService[],
  actual: Known<ActualService>,
  options: PlanOptions,
): { readonly changes: Step[]; readonly removals: Step[] } {
  const changes = wanted.flatMap((service) => {
    const known = actual.get(service.name)
    return known ? changeOf(service, known, options) : [creationOf(service, options)]
  })
  const names = wanted.map(({ name }) => name)
  const removals = surplus(actual, names, options.isPruning).map(([name, known]) => removalOf(name, known))
  return { changes, removals }
}

function creationOf({ isEnabled = true, ...service }: WantedService, { env }: PlanOptions): Step {
  const { body, missing } = withSecrets(registration, service, `service ${service.name}`, env)
  return {
    action: 'create',
    what: `service ${service.name}`,
    differences: fieldsOf({ ...shown(service), ...(!isEnabled && { isEnabled }) }),
    missing,
    carryOut: async (api) => {
      const { value: made } = await take(api.servers.$post({ json: body() }))
      if (!isEnabled) await take(api.servers[':id'].disconnect.$post({ param: { id: made.id } }))
    },
  }
}

function changeOf(wanted: WantedService, { row, etag }: ActualService, options: PlanOptions): Step[] {
  const { name, isEnabled, auth, headers, ...settings } = wanted
  const url = withPath(settings.url, settings.transport ?? row.transport)
  const instances = settings.instances?.map((instance) => ({
    ...instance,
    url: withPath(instance.url, row.transport),
  }))
  const plain = differencesOf({ ...settings, url, instances }, comparable(row))
  const secret = secretDifferences(wanted, row, options.resetsSecrets)
  const isNew = (field: string): boolean => secret.some((difference) => difference.field === field)
  const given = {
    ...Object.fromEntries(plain.map(({ field, after }) => [field, after])),
    ...(isNew('auth') && { auth }),
    ...(isNew('headers') && { headers }),
  }
  const { body, missing } = withSecrets(change, given, `service ${name}`, options.env)
  const isSwitched = isEnabled !== undefined && isEnabled !== row.isEnabled
  const differences = [
    ...plain,
    ...secret,
    ...(isSwitched ? [{ field: 'isEnabled', before: row.isEnabled, after: isEnabled }] : []),
  ]
  if (differences.length === 0) return []
  const param = { id: segment(name) }
  return [
    {
      action: 'change',
      what: `service ${name}`,
      differences,
      missing,
      carryOut: async (api) => {
        const service = api.servers[':id']
        const isChanged = Object.keys(given).length > 0
        const changed = isChanged ? await take(service.$put({ param, json: body() }, onlyIf(etag))) : { etag }
        const verb = isEnabled ? 'connect' : 'disconnect'
        if (isSwitched) await take(service[verb].$post({ param }, onlyIf(changed.etag)))
      },
    },
  ]
}

const removalOf = (name: string, { etag }: ActualService): Step => ({
  action: 'remove',
  what: `service ${name}`,
  differences: [],
  missing: [],
  carryOut: async (api) => {
    await take(api.servers[':id'].$delete({ param: { id: segment(name) } }, onlyIf(etag)))
  },
})

/** Whether there is a credential can be compared, and which headers there are; what they hold cannot. */
function secretDifferences(
  { auth, headers }: WantedService,
  row: ActualService['row'],
  resetsSecrets: boolean,
): Difference[] {
  const isWanted = auth !== undefined && auth.type !== 'none'
  const isOtherwise = auth !== undefined && isWanted !== row.hasCredential
  const names = Object.keys(headers ?? {}).toSorted()
  const knownNames = Object.keys(row.headers ?? {}).toSorted()
  const areOther = headers !== undefined && String(names) !== String(knownNames)
  return [
    ...(isOtherwise || (isWanted && resetsSecrets)
      ? [
          {
            field: 'auth',
            before: row.hasCredential ? SECRET : undefined,
            after: isWanted ? SECRET : undefined,
          },
        ]
      : []),
    ...(areOther || (names.length > 0 && resetsSecrets)
      ? [{ field: 'headers', before: knownNames, after: names }]
      : []),
  ]
}

const comparable = ({ instances, ...row }: ActualService['row']): Record<string, unknown> => ({
  ...row,
  instances: instances.map(({ url, weight }) => ({ url, weight })),
})

function shown(service: Omit<WantedService, 'isEnabled'>): Record<string, unknown> {
  const { name: _, auth, headers, ...plain } = service
  return {
    ...plain,
    ...(auth && auth.type !== 'none' && { auth: SECRET }),
    ...(headers && { headers: Object.keys(headers).toSorted() }),
  }
}

/** As the gateway writes an address. */
function withPath(text: string, transport: 'http' | 'sse' | undefined): string {
  if (!URL.canParse(text)) return text
  const url = new URL(text)
  if (url.pathname === '/') url.pathname = transport === 'sse' ? '/sse' : '/mcp'
  return url.href
}
