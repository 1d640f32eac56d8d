/**
 * What a service offers, read whole: every page of every list that it says it has, kept byte for byte, and
 * bounded (F32, F33). One faulty list makes the discovery fail, so the last good catalogue stays in force.
 */
import { Deadline, timed } from '../platform/deadline.ts'
import { sha256 } from '../platform/hash.ts'
import { err, ok, type Result } from '../platform/result.ts'
import type { Catalogue } from '../protocol/catalogue.ts'
import type { Transport } from '../protocol/transport.ts'
import { cut, elementsOf, measureJson, membersOf } from '../protocol/json.ts'
import { LIMITS } from '../protocol/limits.ts'
import { resultMember } from './answer.ts'
import type { Connection, Dialect } from './connection.ts'
import type { Fault } from './fault.ts'
import { openLink } from './link.ts'
import { endSession, exchange } from './exchange.ts'
import { initialize, introduce, type Introduction } from './handshake.ts'

/** Which list methods there are, by the capability that announces them. */
const LISTS = [
  { member: 'tools', method: 'tools/list', capability: 'tools' },
  { member: 'resources', method: 'resources/list', capability: 'resources' },
  { member: 'resourceTemplates', method: 'resources/templates/list', capability: 'resources' },
  { member: 'prompts', method: 'prompts/list', capability: 'prompts' },
] as const

/** What a service offers, and how it is spoken to. */
export type Discovery = { readonly catalogue: Catalogue; readonly transport: Transport }

/**
 * Where nobody said which transport it has, the older one is tried last, as clients do (2025-11-25, "Backwards
 * Compatibility"): a server that names an endpoint has it.
 */
export async function discover(connection: Connection): Promise<Result<Discovery, Fault>> {
  if (connection.transport === 'sse') return spokenBy('sse', await discoverLinked(connection))
  const found = spokenBy('http', await discoverAt(connection))
  if (found.ok || connection.transport !== undefined || !isRefusal(found.error)) return found
  const older = spokenBy('sse', await discoverLinked(connection))
  return older.ok ? older : found
}

const spokenBy = (transport: Transport, catalogue: Result<Catalogue, Fault>): Result<Discovery, Fault> =>
  catalogue.ok ? ok({ catalogue: catalogue.value, transport }) : catalogue

/** The server is there, and takes no such request. */
const isRefusal = (fault: Fault): boolean => fault.is === 'status' || fault.is === 'not_mcp'

/** All of it through one link. */
async function discoverLinked(connection: Connection): Promise<Result<Catalogue, Fault>> {
  const deadline = new Deadline(LIMITS.handshakeTimeoutMs)
  const link = await openLink(connection, deadline)
  if (!link.ok) {
    deadline.end()
    return link
  }
  deadline.restart(LIMITS.streamTotalMs)
  try {
    return await discoverAt({ ...connection, link: link.value })
  } finally {
    link.value.close()
    deadline.end()
  }
}

async function discoverAt(connection: Connection): Promise<Result<Catalogue, Fault>> {
  const introduction = await timed(LIMITS.handshakeTimeoutMs, (deadline) => introduce(connection, deadline))
  if (!introduction.ok) return introduction
  const { dialect, capabilities, serverInfo } = introduction.value
  if (isTooDeep(capabilities) || isTooDeep(serverInfo)) {
    return err({ is: 'not_mcp', detail: 'what it says of itself is nested too deeply' })
  }
  try {
    return await readCatalogue(connection, introduction.value)
  } finally {
    await timed(LIMITS.handshakeTimeoutMs, (deadline) => endSession(connection, dialect, deadline))
  }
}

async function readCatalogue(
  connection: Connection,
  introduction: Introduction,
): Promise<Result<Catalogue, Fault>> {
  const { dialect, serverInfo, capabilities, instructions } = introduction
  const announced = membersOf(capabilities)
  const lists = { tools: '[]', resources: '[]', resourceTemplates: '[]', prompts: '[]' }
  for (const { member, method, capability } of LISTS) {
    if (!announced.has(capability)) continue
    const list = await readList(connection, dialect, method, member)
    if (list.ok) lists[member] = list.value
    // Templates are optional even where resources are not (field.md, want 13).
    else if (member !== 'resourceTemplates') return list
  }
  const { era, protocolVersion } = dialect
  const isOffering = LISTS.some(({ capability }) => announced.has(capability))
  const legacy =
    era === 'legacy'
      ? legacySideOf(introduction)
      : isOffering
        ? await findLegacySide(connection)
        : NO_LEGACY_SIDE
  const offered = { ...lists, serverInfo, capabilities, instructions, era, protocolVersion, ...legacy }
  return ok({ ...offered, fingerprint: await fingerprintOf(offered) })
}

type LegacySide = Pick<Catalogue, 'legacyVersion' | 'legacyCapabilities' | 'isStateful'>

const legacySideOf = ({ dialect, capabilities }: Introduction): LegacySide => ({
  legacyVersion: dialect.protocolVersion,
  legacyCapabilities: capabilities,
  isStateful: dialect.sessionId !== undefined,
})

const NO_LEGACY_SIDE: LegacySide = {
  legacyVersion: undefined,
  legacyCapabilities: '{}',
  isStateful: false,
}

/** Whether a modern server can also be spoken to as clients with sessions expect it. */
async function findLegacySide(connection: Connection): Promise<LegacySide> {
  const introduction = await timed(LIMITS.handshakeTimeoutMs, (deadline) => initialize(connection, deadline))
  if (!introduction.ok) return NO_LEGACY_SIDE
  await timed(LIMITS.handshakeTimeoutMs, (deadline) =>
    endSession(connection, introduction.value.dialect, deadline),
  )
  return legacySideOf(introduction.value)
}

/** All pages of one list as one raw array. */
async function readList(
  connection: Connection,
  dialect: Dialect,
  method: string,
  member: string,
): Promise<Result<string, Fault>> {
  const items: string[] = []
  const cursors = new Set<string>()
  let cursor: string | undefined
  let size = 0
  for (let page = 0; page < LIMITS.cataloguePages; page++) {
    const params = cursor === undefined ? {} : { cursor }
    const answer = await timed(LIMITS.handshakeTimeoutMs, (deadline) =>
      exchange(connection, dialect, method, params, deadline),
    )
    if (!answer.ok) return answer
    const array = resultMember(answer.value, member)
    if (!array?.startsWith('[')) return err({ is: 'not_mcp', detail: `${method} gave no array '${member}'` })
    // Each item keeps the whole page that it was cut from in memory.
    size += answer.value.text.length
    if (size > LIMITS.catalogueBytes) return err({ is: 'too_large', limitBytes: LIMITS.catalogueBytes })
    for (const element of elementsOf(array)) {
      const item = cut(array, element)
      if (!isTooDeep(item)) items.push(item)
    }
    cursor = readCursor(resultMember(answer.value, 'nextCursor'))
    if (cursor === undefined || items.length >= LIMITS.catalogueItems) {
      return ok(`[${items.slice(0, LIMITS.catalogueItems).join(',')}]`)
    }
    if (cursors.has(cursor)) return err({ is: 'not_mcp', detail: `${method} repeats a cursor` })
    cursors.add(cursor)
  }
  return err({ is: 'not_mcp', detail: `${method} has more than ${LIMITS.cataloguePages} pages` })
}

/** Databases refuse JSON that is nested without bound; one such item must not cost its service all others (S49). */
const isTooDeep = (raw: string): boolean => measureJson(raw).depth > LIMITS.catalogueDepth

/** The empty string is a cursor like any other (protocol.md, section 4). */
function readCursor(raw: string | undefined): string | undefined {
  const value: unknown = raw === undefined ? undefined : JSON.parse(raw)
  return typeof value === 'string' ? value : undefined
}

const fingerprintOf = (offered: Omit<Catalogue, 'fingerprint'>): Promise<string> =>
  sha256(JSON.stringify(offered))
