/** How the management API says no: RFC 9457 problems with a stable `code`, fields named where fields are wrong. */
import { echo } from '../protocol/echo.ts'
import type { DatabaseFault } from '../storage/database.ts'
import { describeFault, type Fault } from '../upstream/fault.ts'

export type FieldFault = { readonly field: string; readonly message: string }

export type Problem = {
  readonly status: number
  readonly code: string
  readonly title: string
  /** One sentence: what happened and what to do. */
  readonly detail: string
  readonly errors?: readonly FieldFault[]
  readonly reason?: string
  readonly retryAfterMs?: number
}

/** `members`: what the answer holds besides. */
export function respondWithProblem(problem: Problem, members: object = {}): Response {
  const { status, retryAfterMs = 1_000 } = problem
  const body = JSON.stringify({ type: 'about:blank', ...problem, ...members })
  const headers = { 'content-type': 'application/problem+json', 'cache-control': 'no-store' }
  const retryAfter = String(Math.ceil(retryAfterMs / 1_000))
  const mayRetry = status === 503 || status === 429
  return new Response(body, {
    status,
    headers: mayRetry ? { ...headers, 'retry-after': retryAfter } : headers,
  })
}

export const invalidBody = (errors: readonly FieldFault[]): Problem => ({
  status: 400,
  code: 'invalid_body',
  title: 'Invalid request body',
  detail: errors.map(({ field, message }) => `${field === '' ? 'body' : field}: ${message}`).join('; '),
  errors,
})

export const invalidQuery = (errors: readonly FieldFault[]): Problem => ({
  status: 400,
  code: 'invalid_query',
  title: 'Invalid query',
  detail: errors.map(({ field, message }) => `${field}: ${message}`).join('; '),
  errors,
})

export const invalidPath = (errors: readonly FieldFault[]): Problem => ({
  status: 400,
  code: 'invalid_path',
  title: 'Invalid path',
  detail: errors.map(({ field, message }) => `${field}: ${message}`).join('; '),
  errors,
})

export const unknownPath: Problem = {
  status: 404,
  code: 'unknown_path',
  title: 'Unknown path',
  detail: 'There is nothing at this path by this method. GET /openapi.json describes what there is.',
}

export const unknownService = (name: string): Problem => ({
  status: 404,
  code: 'unknown_service',
  title: 'Unknown service',
  detail: `There is no service '${echo(name)}'. GET /api/v1/servers lists those that are registered.`,
})

export const duplicateName = (name: string): Problem => ({
  status: 409,
  code: 'duplicate_name',
  title: 'Name already taken',
  detail: `A service '${name}' is registered already. Update it with PUT /api/v1/servers/${name}, or choose another name.`,
})

/** What is to be approved is not what was read any more. */
export const definitionChanged = (service: string, tools: readonly string[]): Problem => ({
  status: 409,
  code: 'definition_changed',
  title: 'Definition changed meanwhile',
  detail: `Nothing was approved. Read GET /api/v1/servers/${service}/definitions again: ${tools.join(', ')}`,
})

/** A slug is that of a toolset already; services and toolsets share their addresses. */
export const duplicateToolset = (slug: string): Problem => ({
  status: 409,
  code: 'duplicate_name',
  title: 'Name already taken',
  detail: `There is a toolset '${slug}' already. Update it with PUT /api/v1/toolsets/${slug}, or choose another name.`,
})

export const unknownToolset = (slug: string): Problem => ({
  status: 404,
  code: 'unknown_toolset',
  title: 'Unknown toolset',
  detail: `There is no toolset '${echo(slug)}'. GET /api/v1/toolsets lists them.`,
})

export const unknownTool = (service: string, tool: string): Problem => ({
  status: 404,
  code: 'unknown_tool',
  title: 'Unknown tool',
  detail: `'${service}' offers no tool '${echo(tool)}'. GET /api/v1/tools lists those that there are, \`tool\` is the name to use here.`,
})

export const takenAlias = (alias: string, holder: string): Problem => ({
  status: 409,
  code: 'duplicate_name',
  title: 'Name already taken',
  detail: `'${alias}' is a name of ${holder} already. Choose another alias.`,
})

export const unknownRule = (agentType: string, tool: string): Problem => ({
  status: 404,
  code: 'unknown_permission',
  title: 'Unknown permission',
  detail: `No rule for agent type '${agentType}' names '${tool}'. GET /api/v1/permissions lists those that there are.`,
})

export const storageAway: Problem = {
  status: 503,
  code: 'storage_unavailable',
  title: 'Database unavailable',
  detail: 'The database cannot be reached, nothing was changed. Try again in a moment.',
}

/** `storageAway` once something was sent. */
export const writeUnanswered: Problem = {
  ...storageAway,
  detail:
    'The database did not answer. Whether the change was stored is not known: look before you try again.',
}

/** `storageAway` where only something was to be read. */
export const readUnanswered: Problem = {
  ...storageAway,
  detail: 'The database cannot be reached. Try again in a moment.',
}

/** `storageAway` after the commit. */
export const writeUnseen: Problem = {
  ...storageAway,
  detail: 'The change was stored, but the database cannot be read now. Look again in a moment.',
}

export const schemaBehind: Problem = {
  status: 503,
  code: 'schema_behind',
  title: 'Database not migrated',
  detail:
    'The tables are not those that this release needs, nothing was changed. Run `npm run db:migrate`, then try again.',
}

/** Ours to mend, so not 400; the log has what Postgres calls it. */
export const writeRejected: Problem = {
  status: 500,
  code: 'write_rejected',
  title: 'Write rejected',
  detail: 'The database does not take this, nothing was changed. The log line statement_rejected says why.',
}

/** What a write was decided on is not so any more, time after time. */
export const contended: Problem = {
  status: 503,
  code: 'write_contended',
  title: 'Too many writes at once',
  detail: 'Others keep changing the same thing, nothing was changed. Try again in a moment.',
}

/** It is not what `If-Match` names. */
export const changedMeanwhile: Problem = {
  status: 412,
  code: 'changed_meanwhile',
  title: 'Changed meanwhile',
  detail: 'It is not what If-Match names any more, nothing was changed. Read it again, then decide anew.',
}

/** `duplicate`: what to say where a unique name is taken. */
export function writeFailed({ why }: DatabaseFault, duplicate: Problem): Problem {
  switch (why) {
    case 'duplicate':
      return duplicate
    case 'schema':
      return schemaBehind
    case 'rejected':
      return writeRejected
    case 'unreachable':
      return writeUnanswered
    case 'moved':
      return contended
    case 'conflict':
    case 'busy':
      return storageAway
  }
}

export const forbidden: Problem = {
  status: 403,
  code: 'forbidden',
  title: 'Not allowed',
  detail:
    'This credential may not do that. Use the API key or a credential with the role admin; with MCP_TOKEN_MANAGES=true the bearer token manages services.',
}

/** The upstream could not be asked what it offers. `reason` is stable, `detail` for people. */
export const discoveryFailed = (name: string, fault: Fault): Problem => ({
  status: 502,
  code: 'discovery_failed',
  title: 'Upstream not usable',
  detail: `The tools of '${name}' could not be read. ${describeFault(fault)}`,
  reason: fault.is,
})
