/**
 * Asks the MCP endpoint something for the caller of this API, as its caller: the same rules, guard and record. Only the
 * answer is told in the words of this API.
 */
import type { Background } from '../platform/background.ts'
import { err, ok, type Result } from '../platform/result.ts'
import { CORRELATION_HEADER, correlationIdOf } from '../protocol/context.ts'
import { readMember, readText } from '../protocol/edit.ts'
import { writeObject } from '../protocol/json.ts'
import { describeRefusal, type Refusal, saidIn } from '../protocol/refusal.ts'
import type { Remarks } from '../telemetry/audit.ts'
import { type Problem, respondWithProblem, unknownService } from './problem.ts'

export type AskPorts = {
  /** Answers a request at the MCP endpoint of this name; absent: of everything. */
  readonly serveMcp: (
    request: Request,
    endpoint: string | undefined,
    background: Background,
    remarks?: Remarks,
  ) => Promise<Response>
}

export type Question = {
  readonly endpoint?: string | undefined
  readonly method: string
  /** Raw texts. */
  readonly params: Iterable<readonly [key: string, raw: string]>
  readonly remarks?: Remarks
  /** Where the caller gives up earlier than its connection ends. */
  readonly signal?: AbortSignal
}

/** Why there is no result, and what the caller needs to get further where it lacks a credential or scope. */
export type Unanswered = { readonly problem: Problem; readonly challenge: string | null }

export type Given = {
  /** Raw. */
  readonly result: string
  /** What is said of it in headers: whether its service was asked, where results are given again. */
  readonly headers: Readonly<Record<string, string>>
}

/** What the method gives, or why it gives nothing. */
export async function ask(
  request: Request,
  question: Question,
  { serveMcp }: AskPorts,
  background: Background,
): Promise<Result<Given, Unanswered>> {
  const { endpoint, remarks } = question
  const answered = await serveMcp(requestFor(request, question), endpoint, background, remarks)
  const refusal = saidIn(answered)
  const challenge = answered.headers.get('www-authenticate')
  if (refusal) return err({ problem: problemOf(refusal), challenge })
  const text = await answered.text()
  if (!answered.ok) return err({ problem: turnedAway(answered.status, text, endpoint), challenge })
  const result = readMember(text, ['result'])
  if (result === undefined) return err({ problem: failed(text), challenge })
  const cache = answered.headers.get('x-cache')
  return ok({ result, headers: cache === null ? {} : { 'x-cache': cache } })
}

/** `members`: what the answer holds besides. */
export function respondUnanswered({ problem, challenge }: Unanswered, members?: object): Response {
  const response = respondWithProblem(problem, members)
  if (challenge !== null) response.headers.set('www-authenticate', challenge)
  return response
}

/** The same caller, and the message that a client without a session would send. */
function requestFor(request: Request, { endpoint, method, params, signal }: Question): Request {
  const headers = new Headers([...request.headers].filter(([name]) => isOfCaller(name)))
  headers.set('content-type', 'application/json')
  headers.set('accept', 'application/json')
  headers.set(CORRELATION_HEADER, correlationIdOf(request))
  const body = writeObject([
    ['jsonrpc', '"2.0"'],
    ['id', '1'],
    ['method', JSON.stringify(method)],
    ['params', writeObject(params)],
  ])
  const path = endpoint === undefined ? '/mcp' : `/mcp/${encodeURIComponent(endpoint)}`
  const init = { method: 'POST', headers, body, signal: signal ?? request.signal }
  return new Request(new URL(path, request.url), init)
}

/** What says of this request how it is to be read says nothing of the other. */
const OF_REQUEST = /^(content-.*|transfer-encoding|origin|mcp-.*|last-event-id|if-.*|range)$/

const isOfCaller = (header: string): boolean => !OF_REQUEST.test(header)

/** Statuses of what travels in-band by MCP; the others have their own. */
const IN_BAND: Readonly<Partial<Record<Refusal['why'], number>>> = {
  unknown_tool: 404,
  unknown_resource: 404,
  definition_changed: 409,
  service_disabled: 503,
  upstream_unreachable: 502,
  upstream_bad_answer: 502,
  upstream_auth: 502,
  result_too_large: 502,
  upstream_timeout: 504,
  upstream_open: 503,
  upstream_throttled: 429,
  overloaded: 503,
  interrupted: 503,
}

export function problemOf(refusal: Refusal): Problem {
  const { status, message } = describeRefusal(refusal)
  const ownStatus = status === 200 ? 400 : status
  return {
    status: IN_BAND[refusal.why] ?? ownStatus,
    code: refusal.why,
    title: 'Call refused',
    detail: message,
    ...('retryAfterMs' in refusal && { retryAfterMs: refusal.retryAfterMs }),
  }
}

/** There is no such endpoint, or its caller does not come in there. */
function turnedAway(status: number, text: string, endpoint = ''): Problem {
  if (status === 404) return unknownService(endpoint)
  const detail = readText(text, ['error_description']) ?? 'The credential does not open this endpoint.'
  return { status, code: readText(text, ['error']) ?? 'forbidden', title: 'Call refused', detail }
}

/** The upstream answered with an error of its own. */
function failed(text: string): Problem {
  const reason = readMember(text, ['error', 'code'])
  const problem: Problem = {
    status: 502,
    code: 'upstream_error',
    title: 'Call failed',
    detail: readText(text, ['error', 'message']) ?? 'The service answered with an error.',
  }
  return reason === undefined ? problem : { ...problem, status: OF_CALLER[reason] ?? 502, reason }
}

/** Errors that say what is wrong with the request: invalid params, resource not found (2025-11-25, "Error Handling"). */
const OF_CALLER: Readonly<Record<string, number>> = { '-32602': 400, '-32002': 404 }
