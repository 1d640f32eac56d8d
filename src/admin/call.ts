/**
 * A call of a tool without MCP. It goes the way of `tools/call`, as its caller: the same rules, guard and record; only the
 * answer is told in the words of this API.
 */
import type { Context } from 'hono'
import * as z from 'zod'
import type { Background } from '../platform/background.ts'
import { readMember, readText } from '../protocol/edit.ts'
import { writeObject } from '../protocol/json.ts'
import { describeRefusal, type Refusal, saidIn } from '../protocol/refusal.ts'
import { readRawBody } from './body.ts'
import type { AdminEnv } from './env.ts'
import { type Problem, respondWithProblem } from './problem.ts'
import { json } from './services.ts'

export type CallPorts = {
  /** Answers a request at the MCP endpoint of everything. */
  readonly serveMcp: (request: Request, background: Background) => Promise<Response>
}

const call = z.strictObject({
  name: z.string().min(1),
  arguments: z.looseObject({}).optional(),
})

export async function callTool(c: Context<AdminEnv>, { serveMcp }: CallPorts): Promise<Response> {
  const body = await readRawBody(c.req.raw, call)
  if (!body.ok) return respondWithProblem(body.error)
  c.set('isRecorded', true)
  const answered = await serveMcp(requestFor(c.req.raw, body.value), c.get('background'))
  const refusal = saidIn(answered)
  if (refusal) return withChallenge(respondWithProblem(problemOf(refusal)), answered)
  const text = await answered.text()
  if (!answered.ok) return new Response(text, answered)
  const result = readMember(text, ['result'])
  return result === undefined ? respondWithProblem(failed(text)) : json(result)
}

/** What a client needs to get further, where it lacks a scope. */
function withChallenge(problem: Response, { headers }: Response): Response {
  const challenge = headers.get('www-authenticate')
  if (challenge !== null) problem.headers.set('www-authenticate', challenge)
  return problem
}

/** The same caller, and the message that a client without a session would send. */
function requestFor(request: Request, params: ReadonlyMap<string, string>): Request {
  const headers = new Headers([...request.headers].filter(([name]) => isOfCaller(name)))
  headers.set('content-type', 'application/json')
  headers.set('accept', 'application/json')
  const message = [
    ['jsonrpc', '"2.0"'],
    ['id', '1'],
    ['method', '"tools/call"'],
    ['params', writeObject(params)],
  ] as const
  const body = writeObject(message)
  return new Request(new URL('/mcp', request.url), { method: 'POST', headers, body, signal: request.signal })
}

/** What says of this request how it is to be read says nothing of the other. */
const OF_REQUEST = /^(content-.*|transfer-encoding|origin|mcp-.*|last-event-id|if-.*|range)$/

const isOfCaller = (header: string): boolean => !OF_REQUEST.test(header)

/** Statuses of what travels in-band by MCP; the others have their own. */
const IN_BAND: Readonly<Partial<Record<Refusal['why'], number>>> = {
  unknown_tool: 404,
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

function problemOf(refusal: Refusal): Problem {
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

/** The upstream answered with an error of its own. */
function failed(text: string): Problem {
  const code = readMember(text, ['error', 'code'])
  return {
    status: 502,
    code: 'upstream_error',
    title: 'Call failed',
    detail: readText(text, ['error', 'message']) ?? 'The service answered with an error.',
    ...(code !== undefined && { reason: code }),
  }
}
