/**
 * The border between one upstream and one caller (upstream/border.ts): what the upstream says comes out under
 * public names, its own ids sealed, in what the caller's era and wishes allow.
 */
import type { Session } from '../identity/session.ts'
import type { Principal } from '../identity/principal.ts'
import { editMember, readMember, readText } from '../protocol/edit.ts'
import { writeObject } from '../protocol/json.ts'
import { severityOf } from '../protocol/method.ts'
import { renameInResult } from '../protocol/reference.ts'
import { type Era, NEWEST_LEGACY_VERSION } from '../protocol/version.ts'
import type { ServiceRecord } from '../registry/image.ts'
import type { Endpoint, Snapshot } from '../registry/snapshot.ts'
import { rewriteRelatedTask, rewriteTaskIds } from './task.ts'
import type { AllTickets } from './tickets.ts'
import type { Forward } from './forward.ts'
import type { Border } from '../upstream/border.ts'
import type { Dialect } from '../upstream/connection.ts'
import { takesLegacyRequest } from '../upstream/input.ts'

export type BorderSides = {
  readonly snapshot: Snapshot
  readonly endpoint: Endpoint
  readonly service: ServiceRecord
  /** The upstream session that is spoken in; known once it is open. */
  readonly dialect: () => Dialect
  readonly principal: Principal
  readonly era: Era
  /** Present: requests of the upstream can reach the caller, who can answer in any isolate. */
  readonly session: Session | undefined
  /** What the caller can do, as raw JSON. */
  readonly capabilities: string
  /** The least severe log message that a modern caller wants; absent: none. */
  readonly logLevel: string | undefined
  readonly isResumable: boolean
  /** Of a call on its own stream, the members of its `params`: only its own progress is told there (S44). */
  readonly call?: { readonly params: Forward['params'] } | undefined
  /** The upstream says that what it offers has changed. */
  readonly onListChanged: () => void
}

const LIST_CHANGED = /^notifications\/(tools|prompts|resources)\/list_changed$/

export function borderOf(sides: BorderSides, tickets: AllTickets): Border {
  const { snapshot, endpoint, service, principal, session } = sides
  const rename = snapshot.rewritesUris(service, endpoint)
    ? (uri: string) => snapshot.publicUri(service, uri, endpoint)
    : undefined
  const sealTask =
    endpoint.is === 'service'
      ? undefined
      : (taskId: string) => sealTaskId(service, taskId, principal, tickets)
  const withUris = (raw: string): string => (rename ? renameInResult(raw, rename) : raw)
  const withTasks = async (raw: string): Promise<string> =>
    sealTask && raw.includes('"taskId"') ? await rewriteTaskIds(raw, sealTask) : raw
  const withRelatedTask = async (raw: string): Promise<string> =>
    sealTask && raw.includes('"taskId"') ? await rewriteRelatedTask(raw, sealTask) : raw

  return {
    isOpen: !rename && !(sealTask && hasTasks(service)),
    result: async (raw) => await withTasks(withUris(raw)),
    notification: async (method, text) => {
      if (LIST_CHANGED.test(method)) {
        sides.onListChanged()
        return undefined
      }
      switch (method) {
        case 'notifications/message':
          return passesLog(sides, text) ? withLogger(sides, text) : undefined
        case 'notifications/cancelled':
          return session && (await withRequestId(sides, session, text, tickets))
        case 'notifications/progress':
          return sides.call && !isProgressOf(sides.call, text) ? undefined : text
        case 'notifications/resources/updated':
          return rename ? editText(text, ['params', 'uri'], rename) : text
        default: {
          const params = sealTask && text.includes('"taskId"') ? readMember(text, ['params']) : undefined
          if (params === undefined) return text
          const sealed = await withTasks(params)
          return editMember(text, ['params'], () => sealed)
        }
      }
    },
    request: async ({ method, idText, params, rest = [] }) => {
      if (!session || !takesLegacyRequest(sides.capabilities, method)) return undefined
      const { name } = session
      const ticket = { is: 'upstream', serviceId: service.id, dialect: sides.dialect(), idText } as const
      const id = await tickets.requests.seal(ticket, name)
      return writeObject([
        ['jsonrpc', '"2.0"'],
        ['id', JSON.stringify(id)],
        ['method', JSON.stringify(method)],
        ...(params === undefined
          ? []
          : [
              [
                'params',
                await withProgressToken(sides, session, await withRelatedTask(params), tickets),
              ] as const,
            ]),
        ...rest,
      ])
    },
    comesBack: sides.isResumable && session?.protocolVersion === NEWEST_LEGACY_VERSION,
    eventId: async (eventId) => {
      const dialect = sides.dialect()
      // The streams of a modern upstream cannot be taken up, whatever it marks in them.
      if (!sides.isResumable || !session || dialect.era === 'modern') return undefined
      const ticket = { serviceId: service.id, dialect, eventId }
      return `u${await tickets.events.seal(ticket, session.name)}`
    },
  }
}

export const sealTaskId = (
  service: ServiceRecord,
  taskId: string,
  principal: Principal,
  tickets: AllTickets,
): Promise<string> => tickets.tasks.seal({ serviceId: service.id, taskId }, taskContext(principal))

/** A task belongs to whoever started it, in whatever session. */
export const taskContext = ({ organisationId, subject }: Principal): string => `${organisationId}|${subject}`

const hasTasks = ({ catalogue }: ServiceRecord): boolean =>
  catalogue !== undefined && `${catalogue.capabilities}${catalogue.legacyCapabilities}`.includes('tasks')

/** A modern caller hears only what it asked for with this request (2026-07-28, "Logging"). */
function passesLog({ era, logLevel }: BorderSides, text: string): boolean {
  if (era === 'legacy') return true
  return logLevel !== undefined && severityOf(readText(text, ['params', 'level'])) >= severityOf(logLevel)
}

/** Where many services log into one stream, each says which it is. */
function withLogger({ endpoint, service }: BorderSides, text: string): string {
  if (endpoint.is === 'service') return text
  return editMember(text, ['params', 'logger'], (raw) => {
    const own: unknown = raw === undefined ? undefined : JSON.parse(raw)
    return JSON.stringify(typeof own === 'string' ? `${service.name}/${own}` : service.name)
  })
}

/** The upstream takes back a request of its own; the caller knows it by the sealed id. */
async function withRequestId(
  { service, dialect }: BorderSides,
  session: Session,
  text: string,
  tickets: AllTickets,
): Promise<string | undefined> {
  const idText = readMember(text, ['params', 'requestId'])
  if (idText === undefined) return undefined
  const ticket = { is: 'upstream', serviceId: service.id, dialect: dialect(), idText } as const
  const id = await tickets.requests.seal(ticket, session.name)
  return editMember(text, ['params', 'requestId'], () => JSON.stringify(id))
}

async function withProgressToken(
  { service, dialect }: BorderSides,
  session: Session,
  params: string,
  tickets: AllTickets,
): Promise<string> {
  const token = readMember(params, ['_meta', 'progressToken'])
  if (token === undefined) return params
  const ticket = { serviceId: service.id, dialect: dialect(), token }
  const sealed = await tickets.progress.seal(ticket, session.name)
  return editMember(params, ['_meta', 'progressToken'], () => JSON.stringify(sealed))
}

/** Whether the caller asked for progress under that token, however either of them is written. */
function isProgressOf({ params }: NonNullable<BorderSides['call']>, text: string): boolean {
  const [, meta = ''] = params.find(([key]) => key === '_meta') ?? []
  const asked = meta.startsWith('{') ? readMember(meta, ['progressToken']) : undefined
  const told = readMember(text, ['params', 'progressToken'])
  return asked !== undefined && told !== undefined && JSON.parse(asked) === JSON.parse(told)
}

const editText = (text: string, path: readonly string[], change: (value: string) => string): string =>
  editMember(text, path, (raw) => {
    const value: unknown = raw === undefined ? undefined : JSON.parse(raw)
    return typeof value === 'string' ? JSON.stringify(change(value)) : undefined
  })
