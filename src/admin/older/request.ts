/**
 * Document 002, "MCP Request": a call of a tool in an envelope, which says how long the caller waits, for whom it asks
 * and how urgently. What it says of itself is written down; nothing is decided on it.
 */
import { type Context, Hono } from 'hono'
import type { Background } from '../../platform/background.ts'
import type { Clock } from '../../platform/clock.ts'
import { Deadline } from '../../platform/deadline.ts'
import { err, type Result } from '../../platform/result.ts'
import { correlationIdOf, nameRequest } from '../../protocol/context.ts'
import { readMember, readText } from '../../protocol/edit.ts'
import { cut, elementsOf, writeObject } from '../../protocol/json.ts'
import { json } from '../answer.ts'
import { sendRequest } from '../api/older.ts'
import {
  ask,
  type AskPorts,
  type Given,
  problemOf,
  type Question,
  respondUnanswered,
  type Unanswered,
} from '../ask.ts'
import { readRawBody } from '../body.ts'
import type { AdminEnv } from '../env.ts'
import { mount } from '../operation.ts'
import { respondWithProblem } from '../problem.ts'

export type RequestPorts = AskPorts & { readonly clock: Clock }

export function requestRoutes(ports: RequestPorts): Hono<AdminEnv> {
  const routes = new Hono<AdminEnv>()
  mount(routes, sendRequest, (c) => answerRequest(c, ports))
  return routes
}

async function answerRequest(c: Context<AdminEnv>, ports: RequestPorts): Promise<Response> {
  const begunAt = ports.clock()
  const request = c.req.raw
  const body = await readRawBody(request, sendRequest.body)
  if (!body.ok) return respondWithProblem(body.error)
  c.set('isRecorded', true)
  const { id, service, operation, metadata } = body.value.value
  const { timeout, agentId, priority } = metadata
  if (metadata.correlationId !== undefined) nameRequest(request, metadata.correlationId)
  const correlationId = correlationIdOf(request)
  const question: Question = {
    endpoint: service,
    method: 'tools/call',
    params: [
      ['name', JSON.stringify(operation)],
      ['arguments', body.value.raw.get('parameters') ?? '{}'],
    ],
    remarks: { agentId, priority },
  }
  const background = c.get('background')
  const answered =
    timeout === undefined
      ? await ask(request, question, ports, background)
      : await askWithin(timeout, request, question, ports, background)
  const envelope = { id, metadata: { correlationId, processingTimeMs: ports.clock() - begunAt } }
  return answered.ok ? tell(answered.value, envelope) : refuse(answered.error, envelope)
}

/** A caller that has waited long enough leaves, as if its connection had ended: that says nothing about the service. */
async function askWithin(
  timeoutMs: number,
  request: Request,
  question: Question,
  ports: AskPorts,
  background: Background,
): Promise<Result<Given, Unanswered>> {
  const deadline = new Deadline(timeoutMs, request.signal)
  const left = new Promise<undefined>((resolve) => deadline.onGiveUp(() => resolve(undefined)))
  const asked = ask(request, { ...question, signal: deadline.signal }, ports, background)
  // The call is taken down and recorded after the answer.
  background(asked.catch(() => undefined))
  try {
    return (await Promise.race([asked, left])) ?? err(late(question.endpoint ?? '', timeoutMs))
  } finally {
    deadline.end()
  }
}

const late = (service: string, afterMs: number): Unanswered => ({
  problem: problemOf({ why: 'upstream_timeout', service, afterMs }),
  challenge: null,
})

type Envelope = {
  readonly id: string
  readonly metadata: { readonly correlationId: string; readonly processingTimeMs: number }
}

/** A tool that failed has answered all the same. */
function tell({ result, headers }: Given, { id, metadata }: Envelope): Response {
  const isError = readMember(result, ['isError']) === 'true'
  const error = { code: 'tool_error', message: sentenceIn(result) }
  return json(
    writeObject([
      ['id', JSON.stringify(id)],
      ['status', isError ? '"error"' : '"success"'],
      ['data', result],
      ...(isError ? ([['error', JSON.stringify(error)]] as const) : []),
      ['metadata', JSON.stringify(metadata)],
    ]),
    200,
    headers,
  )
}

/** What a tool that failed says of it. */
function sentenceIn(result: string): string {
  const content = readMember(result, ['content']) ?? '[]'
  const [first] = content.startsWith('[') ? elementsOf(content) : []
  const part = first && cut(content, first)
  return (part?.startsWith('{') ? readText(part, ['text']) : undefined) ?? 'The tool failed.'
}

/** A problem, and the members of the envelope. `status` is theirs: who reads problems has it from HTTP. */
function refuse(unanswered: Unanswered, envelope: Envelope): Response {
  const { code, detail, reason, retryAfterMs } = unanswered.problem
  const error = { code, message: detail, reason, retryAfterMs }
  return respondUnanswered(unanswered, { ...envelope, status: 'error', error })
}
