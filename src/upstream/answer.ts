/**
 * The JSON-RPC answer inside an upstream's HTTP response, JSON or event stream, bounded and checked: it must
 * be whole, be a response, and carry the id that was asked with (F13–F21).
 */
import type { ByteBudget, Hold } from '../platform/budget.ts'
import type { Deadline } from '../platform/deadline.ts'
import { err, ok, type Result } from '../platform/result.ts'
import { readWhole } from '../protocol/body.ts'
import { readMember } from '../protocol/edit.ts'
import { isJson } from '../protocol/grammar.ts'
import { cut, isObjectAt, membersOf, type Span, stringAt } from '../protocol/json.ts'
import { LIMITS } from '../protocol/limits.ts'
import { free, holdText, MemorySpent } from '../protocol/memory.ts'
import { EventReader } from '../protocol/sse.ts'
import type { Fault } from './fault.ts'
import { discard, faultOfDeadline, faultOfStatus } from './send.ts'

/** One checked answer as text, with the places of its parts. */
export type Answer = {
  readonly text: string
  readonly members: ReadonlyMap<string, Span>
  readonly isError: boolean
  /** What was sent for it, in bytes, decoded; of a stream, everything up to it. */
  readonly bytes: number
  /** What it takes of the memory for answers; absent: it is too small to count. Whoever reads it gives it back. */
  readonly hold?: Hold
}

export type Body = 'json' | 'stream'

/** Which kind of body this is, or why it is none that can be used. The body of a useless one is let go. */
export function bodyOf(response: Response): Result<Body, Fault> {
  const body = faultOfStatus(response) ?? typeOf(response)
  if (typeof body === 'string') return ok(body)
  discard(response)
  return err(body)
}

/** Reads to the answer that carries `idText` (`undefined`: to any); whatever else a stream says on the way is dropped. */
export async function readAnswer(
  response: Response,
  idText: string | undefined,
  deadline: Deadline,
  budget: ByteBudget,
): Promise<Result<Answer, Fault>> {
  const body = bodyOf(response)
  return body.ok ? await readAnswerIn(body.value, response, idText, deadline, budget) : body
}

/** The same where the kind of the body is known. */
export async function readAnswerIn(
  body: Body,
  response: Response,
  idText: string | undefined,
  deadline: Deadline,
  budget: ByteBudget,
): Promise<Result<Answer, Fault>> {
  const hold = budget.open(deadline.signal)
  try {
    const answer =
      body === 'stream' ? await readStream(response, idText, hold) : await readJson(response, idText, hold)
    if (answer.ok && hold.bytes > 0) return ok({ ...answer.value, hold })
    hold.release()
    return answer
  } catch (error) {
    hold.release()
    return err(faultOfBody(deadline, error))
  }
}

async function readJson(
  response: Response,
  idText: string | undefined,
  hold: Hold,
): Promise<Result<Answer, Fault>> {
  const declared = Number(response.headers.get('content-length') ?? Number.NaN)
  const isSmall = declared <= LIMITS.checkedAnswerBytes && !response.headers.has('content-encoding')
  if (isSmall) return checkAnswer(await response.text(), idText, declared)
  const read = await readText(response, hold)
  return read.ok ? checkAnswer(read.value.text, idText, read.value.bytes) : read
}

/** The whole body, given up as soon as it is larger than the limit; decoded bytes count (F19, F20). */
async function readText(
  { body }: Response,
  hold: Hold,
): Promise<Result<{ readonly text: string; readonly bytes: number }, Fault>> {
  if (!body) return ok({ text: '', bytes: 0 })
  const read = await readWhole(body, LIMITS.answerBytes, hold)
  if (!read.ok) {
    return err(
      read.error === 'too_large' ? { is: 'too_large', limitBytes: LIMITS.answerBytes } : { is: 'overloaded' },
    )
  }
  const bytes = read.value.length
  const text = new TextDecoder().decode(read.value)
  free(read.value)
  return ok({ text, bytes })
}

async function readStream(
  response: Response,
  idText: string | undefined,
  hold: Hold,
): Promise<Result<Answer, Fault>> {
  const reader = new EventReader()
  const pieces = new TextDecoder()
  let bytes = 0
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length
    for (const event of reader.read(pieces.decode(chunk, { stream: true }))) {
      const answer = checkAnswer(event.data, idText, bytes)
      if (answer.ok) return answer
    }
    if (reader.held > LIMITS.eventBytes) return err({ is: 'too_large', limitBytes: LIMITS.eventBytes })
    if (!holdText(hold, reader.held)) return err({ is: 'overloaded' })
  }
  return err({ is: 'not_mcp', detail: 'the stream ended without an answer' })
}

/**
 * Proves that this is the one answer to the request `idText`; `undefined`: to any request. An error may come
 * without an id.
 */
export function checkAnswer(text: string, idText: string | undefined, bytes: number): Result<Answer, Fault> {
  if (!isJson(text)) return err({ is: 'not_mcp', detail: 'the answer is not complete JSON' })
  if (!isObjectText(text)) return err({ is: 'not_mcp', detail: 'the answer is no JSON-RPC message' })
  return readResponse(text, membersOf(text), idText, bytes)
}

const isObjectText = (text: string): boolean => /^\s*\{/.test(text)

/** The members of a message; `undefined`: the text is none. */
export const readMembers = (text: string): ReadonlyMap<string, Span> | undefined =>
  isJson(text) && isObjectText(text) ? membersOf(text) : undefined

/** The same of a message whose members are known. */
export function readResponse(
  text: string,
  members: ReadonlyMap<string, Span>,
  idText: string | undefined,
  bytes: number,
): Result<Answer, Fault> {
  const [result, error] = [members.get('result'), members.get('error')]
  const isError = error !== undefined
  const isResponse = isError ? isErrorAt(text, error) && !result : result && isObjectAt(text, result)
  if (stringAt(text, members.get('jsonrpc')) !== '2.0' || !isResponse) {
    return err({ is: 'not_mcp', detail: 'the answer is no JSON-RPC response' })
  }
  const id = idAt(text, members.get('id'))
  const hasOurId = id === undefined ? isError : idText === undefined || id === idText
  if (!hasOurId) return err({ is: 'not_mcp', detail: 'the answer carries another id' })
  return ok({ text, members, isError, bytes })
}

/** What a client must find to be able to tell what went wrong (JSON-RPC 2.0, section 5.1). */
function isErrorAt(text: string, error: Span): boolean {
  if (!isObjectAt(text, error)) return false
  const members = membersOf(text, error.start)
  const code = members.get('code')
  return (
    stringAt(text, members.get('message')) !== undefined &&
    code !== undefined &&
    Number.isInteger(Number(cut(text, code)))
  )
}

/** The id as we would write it, `undefined` where there is none; a long one is somebody else's. */
function idAt(text: string, span: Span | undefined): string | undefined {
  if (!span || !isIdAt(text, span)) return undefined
  if (span.end - span.start > MAX_ID_CHARS) return ''
  return JSON.stringify(JSON.parse(cut(text, span)))
}

/** A string or a number. */
export const isIdAt = (text: string, { start }: Span): boolean => /["\d-]/.test(text.charAt(start))

/** Each character of an id may be written as an escape of six. */
const MAX_ID_CHARS = 6 * LIMITS.idChars + 2

/** The raw text of the answer's `result`; `undefined`: it is an error. */
export const resultOf = (answer: Answer): string | undefined =>
  answer.isError ? undefined : rawOutcomeOf(answer)

/** The raw text of what it says: its `result`, or its `error`. */
export function rawOutcomeOf({ text, isError, members }: Answer): string | undefined {
  const span = members.get(isError ? 'error' : 'result')
  return span && cut(text, span)
}

/** The code of an answer that is an error. */
export function errorCodeOf({ isError, text, members }: Answer): number | undefined {
  const error = isError ? members.get('error') : undefined
  return error && Number(readMember(cut(text, error), ['code']))
}

/** Looked for first: few answers say it, and so the others cost no more than a search. */
const SAYS_ERROR = /"isError"\s*:\s*true/

/** Whether a tool says that it failed (2025-11-25, "Tools", "Error Handling"). */
export const isToolError = (answer: Answer): boolean =>
  SAYS_ERROR.test(answer.text) && resultMember(answer, 'isError') === 'true'

/** The raw text of a member of the answer's `result`. */
export function resultMember(answer: Answer, name: string): string | undefined {
  const result = answer.members.get('result')
  if (!result || !isObjectAt(answer.text, result)) return undefined
  const member = membersOf(answer.text, result.start).get(name)
  return member && cut(answer.text, member)
}

/** What it means that a body could not be read to its end. */
export const faultOfBody = (deadline: Deadline, error: unknown): Fault =>
  faultOfDeadline(deadline) ??
  (error instanceof MemorySpent ? { is: 'overloaded' } : { is: 'not_mcp', detail: 'the answer broke off' })

function typeOf(response: Response): Body | Fault {
  const type = response.headers.get('content-type') ?? ''
  if (/^application\/json\b/i.test(type)) return 'json'
  if (/^text\/event-stream\b/i.test(type)) return 'stream'
  const { status } = response
  if (status === 400 || status === 404) return { is: 'status', detail: `HTTP ${status}` }
  return { is: 'not_mcp', detail: `content type '${type.slice(0, 60)}'` }
}
