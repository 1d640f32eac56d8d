/**
 * Getting on speaking terms: which era an upstream speaks, and the legacy session where it wants one.
 * A modern upstream answers `server/discover`; whatever a legacy one says to that is not a modern answer.
 * Refusals of the credential or of the rate are no evidence of an era.
 */
import type { Deadline } from '../platform/deadline.ts'
import { err, ok, type Result } from '../platform/result.ts'
import { echo } from '../protocol/echo.ts'
import { cut, membersOf, writeObject } from '../protocol/json.ts'
import { GATEWAY_INFO, MODERN_VERSION, NEWEST_LEGACY_VERSION, isLegacyVersion } from '../protocol/version.ts'
import { type Answer, readAnswer, resultMember } from './answer.ts'
import { type Connection, type Dialect, requestHeaders } from './connection.ts'
import { EVERY_CAPABILITY, exchange, notify } from './exchange.ts'
import type { Fault } from './fault.ts'
import { send } from './send.ts'

/** What an upstream says of itself: raw JSON texts. */
export type Introduction = {
  readonly dialect: Dialect
  readonly serverInfo: string
  readonly capabilities: string
  readonly instructions: string | undefined
}

const UNSUPPORTED_VERSION = -32022
const MODERN_ERRORS: ReadonlySet<unknown> = new Set([-32020, -32021, UNSUPPORTED_VERSION])
const MODERN: Dialect = { era: 'modern', protocolVersion: MODERN_VERSION }

export async function introduce(
  connection: Connection,
  deadline: Deadline,
): Promise<Result<Introduction, Fault>> {
  // The older transport is older than the modern era.
  if (connection.link) return await initialize(connection, deadline)
  const discovered = await discover(connection, deadline)
  if (!discovered.ok) return mayBeLegacy(discovered.error) ? initialize(connection, deadline) : discovered
  const answer = discovered.value
  if (isDiscovery(answer)) return ok(readDiscovery(answer))
  const code = errorCode(answer)
  if (!MODERN_ERRORS.has(code) || versionsIn(answer).some(isLegacyVersion)) {
    return initialize(connection, deadline)
  }
  return err({
    is: 'not_mcp',
    detail: `it speaks no version that the gateway speaks (error ${String(code)})`,
  })
}

/**
 * Asks once more where an upstream refuses the version and yet names it among those that it speaks (2026-07-28,
 * "Protocol Version Negotiation").
 */
async function discover(connection: Connection, deadline: Deadline): Promise<Result<Answer, Fault>> {
  const ask = (): Promise<Result<Answer, Fault>> =>
    exchange(connection, MODERN, 'server/discover', {}, deadline)
  const first = await ask()
  const isContradicted =
    first.ok &&
    errorCode(first.value) === UNSUPPORTED_VERSION &&
    versionsIn(first.value).includes(MODERN_VERSION)
  return isContradicted ? await ask() : first
}

/**
 * The versions that an upstream says it speaks, in its discovery or in its refusal. A legacy server may answer
 * anything to a method that it does not know, but not that.
 */
function versionsIn(answer: Answer): readonly string[] {
  const raw = answer.isError
    ? JSON.stringify(errorOf(answer).data?.supported)
    : resultMember(answer, 'supportedVersions')
  const versions: unknown = JSON.parse(raw ?? '[]')
  return Array.isArray(versions) ? versions : []
}

/**
 * A legacy handshake. A session id in the answer's header means that every later request must carry it.
 * `capabilities`: what the caller can do on whose behalf this is, as raw JSON; absent: it is for all callers.
 */
export async function initialize(
  connection: Connection,
  deadline: Deadline,
  capabilities: string = JSON.stringify(EVERY_CAPABILITY),
): Promise<Result<Introduction, Fault>> {
  const params = writeObject([
    ['protocolVersion', JSON.stringify(NEWEST_LEGACY_VERSION)],
    ['capabilities', capabilities],
    ['clientInfo', JSON.stringify(GATEWAY_INFO)],
  ])
  const body = `{"jsonrpc":"2.0","id":1,"method":"initialize","params":${params}}`
  const headers = requestHeaders(connection, undefined)
  // A modern server may be asked whether it has a legacy side, and wants every request named (2026-07-28).
  headers.set('mcp-method', 'initialize')
  const { url, link } = connection
  const sent = await send({ url, headers, body, link }, deadline)
  if (!sent.ok) return sent
  const sessionId = sent.value.headers.get('mcp-session-id') ?? undefined
  const answer = await readAnswer(sent.value, '1', deadline, connection.budget)
  if (!answer.ok) return answer
  answer.value.hold?.release()
  if (answer.value.isError)
    return err({ is: 'not_mcp', detail: `initialize was refused (${errorMessage(answer.value)})` })
  const protocolVersion = readText(answer.value, 'protocolVersion') ?? ''
  if (!isLegacyVersion(protocolVersion)) {
    return err({
      is: 'not_mcp',
      detail: `it speaks version '${echo(protocolVersion)}', which the gateway does not`,
    })
  }
  if (!hasCapabilities(answer.value)) return err({ is: 'not_mcp', detail: 'it names no capabilities' })
  const dialect: Dialect = { era: 'legacy', protocolVersion, sessionId, replyUrl: link?.replyUrl }
  const introduction = readIntroduction(answer.value, dialect)
  const told = await notify(connection, introduction.dialect, 'notifications/initialized', deadline)
  return told.ok ? ok(introduction) : told
}

/**
 * The server is there, but this was no modern answer: only a legacy one, or no MCP server at all, is left,
 * and a successful `initialize` proves which.
 */
const mayBeLegacy = (fault: Fault): boolean => fault.is === 'not_mcp' || fault.is === 'status'

const isDiscovery = (answer: Answer): boolean =>
  versionsIn(answer).includes(MODERN_VERSION) && hasCapabilities(answer)

const hasCapabilities = (answer: Answer): boolean =>
  resultMember(answer, 'capabilities')?.startsWith('{') ?? false

/** A modern server names itself in the result's `_meta`. */
function readDiscovery(answer: Answer): Introduction {
  const meta = resultMember(answer, '_meta') ?? '{}'
  const info = membersOf(meta).get('io.modelcontextprotocol/serverInfo')
  const introduction = readIntroduction(answer, MODERN)
  return info ? { ...introduction, serverInfo: cut(meta, info) } : introduction
}

const readIntroduction = (answer: Answer, dialect: Dialect): Introduction => ({
  dialect,
  serverInfo: resultMember(answer, 'serverInfo') ?? '{}',
  capabilities: resultMember(answer, 'capabilities') ?? '{}',
  // Kept as text, which holds neither a NUL nor half a character.
  instructions: readText(answer, 'instructions')?.replaceAll('\0', '').toWellFormed(),
})

function readText(answer: Answer, member: string): string | undefined {
  const raw = resultMember(answer, member)
  const value: unknown = raw === undefined ? undefined : JSON.parse(raw)
  return typeof value === 'string' ? value : undefined
}

type WireError = { code?: unknown; message?: unknown; data?: { supported?: unknown } | null }

function errorOf(answer: Answer): WireError {
  const error = answer.members.get('error')
  return error ? JSON.parse(cut(answer.text, error)) : {}
}

const errorCode = (answer: Answer): unknown => errorOf(answer).code
const errorMessage = (answer: Answer): string => echo(String(errorOf(answer).message))
