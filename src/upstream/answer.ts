/**
 * The JSON-RPC answer inside an upstream's HTTP response, JSON or event stream, bounded and checked: it must
 * be whole, be a response, and carry the id that was asked with (F13–F21).
 */
import type { Deadline } from '../platform/deadline.ts'
import { err, ok, type Result } from '../platform/result.ts'
import { readMember } from '../protocol/edit.ts'
import { cut, isObjectAt, membersOf, type Span } from '../protocol/json.ts'
import { LIMITS } from '../protocol/limits.ts'
import { isObject } from '../protocol/message.ts'
import { EventReader } from '../protocol/sse.ts'
import type { Fault } from './fault.ts'
import { discard, faultOfDeadline, faultOfStatus } from './send.ts'

/** One checked answer as text, with the places of its parts. */
export type Answer = {
  readonly text: string
  readonly members: ReadonlyMap<string, Span>
  readonly isError: boolean
}

export type Body = 'json' | 'stream'

/** Which kind of body this is, or why it is none that can be used. The body of a useless one is let go. */
export function bodyOf(response: Response): Result<Body, Fault> {
  const fault = faultOfStatus(response) ?? faultOfType(response)
  if (fault) {
    discard(response)
    return err(fault)
  }
  return ok(isStream(response) ? 'stream' : 'json')
}

/** Reads to the answer that carries `idText` (`undefined`: to any); whatever else a stream says on the way is dropped. */
export async function readAnswer(
  response: Response,
  idText: string | undefined,
  deadline: Deadline,
): Promise<Result<Answer, Fault>> {
  const body = bodyOf(response)
  if (!body.ok) return body
  try {
    return body.value === 'stream' ? await readStream(response, idText) : await readJson(response, idText)
  } catch {
    return err(faultOfBody(deadline))
  }
}

async function readJson(response: Response, idText: string | undefined): Promise<Result<Answer, Fault>> {
  const declared = Number(response.headers.get('content-length') ?? Number.NaN)
  const isSmall = declared <= LIMITS.checkedAnswerBytes && !response.headers.has('content-encoding')
  const text = isSmall ? await response.text() : await readText(response)
  return text === undefined
    ? err({ is: 'too_large', limitBytes: LIMITS.answerBytes })
    : checkAnswer(text, idText)
}

/** The whole body, or `undefined` as soon as it is larger than the limit; decoded bytes count (F19, F20). */
async function readText(response: Response): Promise<string | undefined> {
  const decoder = new TextDecoder()
  let text = ''
  let size = 0
  for await (const chunk of response.body ?? []) {
    size += chunk.length
    if (size > LIMITS.answerBytes) return undefined
    text += decoder.decode(chunk, { stream: true })
  }
  return text + decoder.decode()
}

async function readStream(response: Response, idText: string | undefined): Promise<Result<Answer, Fault>> {
  const reader = new EventReader()
  const pieces = new TextDecoder()
  for await (const chunk of response.body ?? []) {
    for (const event of reader.read(pieces.decode(chunk, { stream: true }))) {
      const answer = checkAnswer(event.data, idText)
      if (answer.ok) return answer
    }
    if (reader.held > LIMITS.eventBytes) return err({ is: 'too_large', limitBytes: LIMITS.eventBytes })
  }
  return err({ is: 'not_mcp', detail: 'the stream ended without an answer' })
}

/**
 * Proves that this is the one answer to the request `idText`; `undefined`: to any request. An error may come
 * without an id.
 */
export function checkAnswer(text: string, idText: string | undefined): Result<Answer, Fault> {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return err({ is: 'not_mcp', detail: 'the answer is not complete JSON' })
  }
  if (!isObject(value)) return err({ is: 'not_mcp', detail: 'the answer is no JSON-RPC message' })
  const { id, error, result } = value
  const isError = error !== undefined
  const isResponse = isError ? isErrorObject(error) && result === undefined : isObject(result)
  if (value['jsonrpc'] !== '2.0' || !isResponse) {
    return err({ is: 'not_mcp', detail: 'the answer is no JSON-RPC response' })
  }
  const isId = typeof id === 'string' || typeof id === 'number'
  const hasOurId = isId ? idText === undefined || JSON.stringify(id) === idText : isError
  if (!hasOurId) return err({ is: 'not_mcp', detail: 'the answer carries another id' })
  return ok({ text, members: membersOf(text), isError })
}

/** What a client must find to be able to tell what went wrong (JSON-RPC 2.0, section 5.1). */
const isErrorObject = (error: unknown): boolean =>
  isObject(error) && Number.isInteger(error['code']) && typeof error['message'] === 'string'

/** The raw text of the answer's `result`; `undefined`: it is an error. */
export function resultOf(answer: Answer): string | undefined {
  const span = answer.isError ? undefined : answer.members.get('result')
  return span && cut(answer.text, span)
}

/** The code of an answer that is an error. */
export function errorCodeOf({ isError, text, members }: Answer): number | undefined {
  const error = isError ? members.get('error') : undefined
  return error && Number(readMember(cut(text, error), ['code']))
}

/** The raw text of a member of the answer's `result`. */
export function resultMember(answer: Answer, name: string): string | undefined {
  const result = answer.members.get('result')
  if (!result || !isObjectAt(answer.text, result)) return undefined
  const member = membersOf(answer.text, result.start).get(name)
  return member && cut(answer.text, member)
}

/** What it means that a body could not be read to its end. */
export const faultOfBody = (deadline: Deadline): Fault =>
  faultOfDeadline(deadline) ?? { is: 'not_mcp', detail: 'the answer broke off' }

const isStream = (response: Response): boolean =>
  /^text\/event-stream\b/i.test(response.headers.get('content-type') ?? '')

function faultOfType(response: Response): Fault | undefined {
  const type = response.headers.get('content-type') ?? ''
  if (isStream(response) || /^application\/json\b/i.test(type)) return undefined
  const { status } = response
  if (status === 400 || status === 404) return { is: 'status', detail: `HTTP ${status}` }
  return { is: 'not_mcp', detail: `content type '${type.slice(0, 60)}'` }
}
