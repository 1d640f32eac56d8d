/**
 * `npm run docs`: writes docs/errors.md from the code that refuses, and switchyard.schema.json from the schemas that the
 * file is checked by, so that neither can say anything else.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describeGatewayFile } from '../cli/file/shape.ts'
import { BODY, ENTRY } from '../src/protocol/door.ts'
import { LADDER } from '../src/protocol/ladder.ts'
import { describeRefusal, type Refusal } from '../src/protocol/refusal.ts'

const ROOT = join(import.meta.dirname, '..')
const service = 'user-service'

/** One example of every refusal; a new one does not compile until it stands here. */
const EXAMPLES: { readonly [Why in Refusal['why']]: Extract<Refusal, { why: Why }> } = {
  method_not_allowed: { why: 'method_not_allowed', allow: 'POST, OPTIONS' },
  origin_refused: { why: 'origin_refused' },
  host_refused: { why: 'host_refused' },
  loop: { why: 'loop' },
  insufficient_scope: { why: 'insufficient_scope', scopes: 'mcp:read mcp:write' },
  not_acceptable: { why: 'not_acceptable' },
  media: { why: 'media' },
  too_large: { why: 'too_large' },
  body_timeout: { why: 'body_timeout' },
  parse_error: { why: 'parse_error' },
  invalid_request: { why: 'invalid_request', detail: 'too deeply nested' },
  header_mismatch: { why: 'header_mismatch', detail: 'Mcp-Method header is missing' },
  unsupported_version: {
    why: 'unsupported_version',
    requested: '1900-01-01',
    supported: ['2026-07-28', '…'],
  },
  unknown_method: { why: 'unknown_method', method: 'nope', status: 404 },
  invalid_params: { why: 'invalid_params', detail: 'name is required', status: 200 },
  unknown_tool: { why: 'unknown_tool', name: 'nope' },
  unknown_prompt: { why: 'unknown_prompt', name: 'nope' },
  unknown_resource: { why: 'unknown_resource', uri: 'test://nope', era: 'modern' },
  unknown_task: { why: 'unknown_task' },
  unknown_session: { why: 'unknown_session' },
  unknown_event: { why: 'unknown_event' },
  session_needed: { why: 'session_needed', method: 'resources/subscribe' },
  invalid_state: { why: 'invalid_state' },
  missing_capability: { why: 'missing_capability', capability: 'elicitation', status: 400 },
  rate_limited: { why: 'rate_limited', service, retryAfterMs: 10_000 },
  invalid_cursor: { why: 'invalid_cursor' },
  unavailable: { why: 'unavailable', retryAfterMs: 1_000 },
  audit_unavailable: { why: 'audit_unavailable', service, retryAfterMs: 1_000 },
  overloaded: { why: 'overloaded', retryAfterMs: 1_000 },
  interrupted: { why: 'interrupted' },
  bug: { why: 'bug', ref: '…' },
  service_disabled: { why: 'service_disabled', service },
  definition_changed: { why: 'definition_changed', service, tool: 'getUserById' },
  upstream_unreachable: {
    why: 'upstream_unreachable',
    service,
    reason: 'the connection was refused or lost',
  },
  upstream_bad_answer: { why: 'upstream_bad_answer', service, reason: 'HTTP 500' },
  upstream_timeout: { why: 'upstream_timeout', service, afterMs: 30_000 },
  upstream_open: { why: 'upstream_open', service, retryAfterMs: 12_000 },
  upstream_throttled: { why: 'upstream_throttled', service, retryAfterMs: 7_000 },
  upstream_auth: { why: 'upstream_auth', service },
  result_too_large: { why: 'result_too_large', service, limitBytes: 8_388_608 },
}

/** The page, from the refusals and the rungs of today. */
export function describeErrors(): string {
  const rows = Object.values<Refusal>(EXAMPLES).map((refusal) => {
    const { status, code, message, data } = describeRefusal(refusal)
    return `| ${refusal.why} | ${status} | ${code} | ${message} | ${data === undefined ? '' : `\`${JSON.stringify(data)}\``} |`
  })
  const rungs = [...ENTRY, ...BODY, ...LADDER].map(
    ({ rung, cells }, at) => `| ${at + 1} | ${rung} | ${cells} |`,
  )
  return `# What the MCP endpoint refuses, and how

Written by \`npm run docs\` from \`src/protocol/\`; do not edit. Refusals at the door use the HTTP status. What an
upstream did or did not do travels in-band on HTTP 200, since clients drop the body of other statuses. An
unknown path is 404 \`{"error":"not_found"}\`; a missing or wrong credential is 401 with \`WWW-Authenticate\`.

| why | HTTP | code | message | data |
|---|---|---|---|---|
${rows.join('\n')}

## The order of checks

The first that finds a fault answers. The caller is identified after \`loop\`; JSON, depth and shape are checked
between \`size\` and \`handshake\`; then the name is resolved.

| # | rung | rows |
|---|---|---|
${rungs.join('\n')}

## Problems of the management API

\`application/problem+json\` (RFC 9457) with one of these as its \`code\`; \`errors\` names fields. A call by
\`POST /api/v1/tools/call\` that is refused has the \`why\` of the first table as its code.

| code | HTTP | title |
|---|---|---|
${readProblems().join('\n')}
`
}

const ADMIN = join(import.meta.dirname, '../src/admin')
const PROBLEM = /status: (\d{3}),\s+code: '(\w+)',\s+title: '([^']+)'/g

/** Every problem that the management API has words for stands in its source as this. */
function readProblems(): readonly string[] {
  const files = readdirSync(ADMIN).filter((name) => name.endsWith('.ts'))
  const texts = files.map((name) => readFileSync(join(ADMIN, name), 'utf8'))
  const rows = texts.flatMap((text) =>
    [...text.matchAll(PROBLEM)].map(([, status, code, title]) => `| ${code} | ${status} | ${title} |`),
  )
  return [...new Set(rows)].toSorted()
}

if (import.meta.main) {
  writeFileSync(join(ROOT, 'docs/errors.md'), describeErrors())
  writeFileSync(join(ROOT, 'switchyard.schema.json'), describeGatewayFile())
}
