/** A service as operators see it, as JSON text. What upstreams said is put in as it came; secrets never are. */
import { writeObject } from '../protocol/json.ts'
import type { ServiceRecord } from '../registry/image.ts'
import { toolsOf } from '../registry/offer.ts'
import { withheldTools } from '../registry/withhold.ts'
import { etagOf } from './etag.ts'

/** One row of the list of services. */
export const viewRow = (service: ServiceRecord): string => writeObject(rowMembers(service))

/** The whole service, with the tools that it offers under their own names. */
export const viewService = (service: ServiceRecord): string =>
  writeObject([...rowMembers(service), ...withheldMembers(service), ['tools', toolsText(service)]])

/** Of what operators set: what the gateway finds out by itself changes nothing of it, and secrets are not in it. */
export function tagOf({ url, transport, config, instances, isEnabled }: ServiceRecord): string {
  const headers = config.headers && withoutValues(config.headers)
  return etagOf([url, transport, { ...config, headers }, instances, isEnabled])
}

/** What the service said of itself: its catalogue. */
export function viewDefinition(service: ServiceRecord): string {
  const { catalogue } = service
  return writeObject([
    ['name', JSON.stringify(service.name)],
    ['status', JSON.stringify(service.status)],
    ['era', JSON.stringify(catalogue?.era ?? null)],
    ['protocolVersion', JSON.stringify(catalogue?.protocolVersion ?? null)],
    ['fingerprint', JSON.stringify(catalogue?.fingerprint ?? null)],
    ['serverInfo', catalogue?.serverInfo ?? '{}'],
    ['capabilities', catalogue?.capabilities ?? '{}'],
    ['instructions', JSON.stringify(catalogue?.instructions ?? null)],
    ['tools', toolsText(service)],
    ['resources', catalogue?.resources ?? '[]'],
    ['resourceTemplates', catalogue?.resourceTemplates ?? '[]'],
    ['prompts', catalogue?.prompts ?? '[]'],
  ])
}

function rowMembers(service: ServiceRecord): (readonly [string, string])[] {
  const { fallbackTools, headers, environment: _, ...settings } = service.config
  const plain = {
    id: service.id,
    name: service.name,
    url: service.url,
    transport: service.transport,
    status: service.status,
    statusReason: service.statusReason,
    isEnabled: service.isEnabled,
    hasCredential: service.sealedAuth !== undefined,
    ...settings,
    headers: headers && withoutValues(headers),
    instances: service.instances,
    era: service.catalogue?.era,
    protocolVersion: service.catalogue?.protocolVersion,
    toolCount: toolsOf(service).length,
    lastPingAt: service.lastPingAt,
    createdAt: service.createdAt,
    updatedAt: service.updatedAt,
  }
  const members = Object.entries(plain).filter(([, value]) => value !== undefined)
  const rows = members.map(([key, value]) => [key, JSON.stringify(value)] as const)
  return fallbackTools === undefined ? rows : [...rows, ['fallbackTools', fallbackTools]]
}

/** Tools that callers do not get, and why. */
function withheldMembers(service: ServiceRecord): (readonly [string, string])[] {
  const withheld = [...withheldTools(service)].map(([tool, reason]) => ({ tool, reason }))
  return withheld.length === 0 ? [] : [['withheld', JSON.stringify(withheld)]]
}

const toolsText = (service: ServiceRecord): string =>
  `[${toolsOf(service)
    .map(({ text }) => text)
    .join(',')}]`

/** A fixed header may well be a credential (S58). */
const withoutValues = (headers: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.keys(headers).map((name) => [name, '[secret]']))
