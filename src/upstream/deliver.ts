/**
 * An upstream's answer in the words of the caller: its id, its era, public names. Where nothing needs to change,
 * the bytes pass untouched.
 */
import type { Hold } from '../platform/budget.ts'
import { openOutflow } from '../platform/outflow.ts'
import { editMember, readMember, readText } from '../protocol/edit.ts'
import { JSON_HEADERS } from '../protocol/result.ts'
import { cut, type Edit, elementsOf, replace, writeObject } from '../protocol/json.ts'
import { STREAM_HEADERS, writeEvent } from '../protocol/sse.ts'
import type { Era } from '../protocol/version.ts'
import { type Answer, resultOf } from './answer.ts'
import type { Border } from './border.ts'
import { OUTFLOW } from './stream.ts'

export type Delivery = {
  /** The id as the caller wrote it; `undefined`: that of the answer, which is of a call made before. */
  readonly idText: string | undefined
  readonly era: Era
  readonly method: string
  /** What the caller can do, as raw JSON. */
  readonly capabilities: string
  readonly border: Border
}

const MISSING_CAPABILITY = -32021
const LEGACY_RESOURCE_NOT_FOUND = -32002
const LEGACY_URL_NEEDED = -32042

/** Whether an answer to `upstreamIdText` of so many bytes can leave as it came, unread. */
export const isUntouched = (
  { idText, era, border }: Delivery,
  upstreamIdText: string,
  upstreamEra: Era,
  bytes: number,
): boolean =>
  (border.isOpen || bytes > (border.opensAboveBytes ?? Number.POSITIVE_INFINITY)) &&
  idText === upstreamIdText &&
  !(era === 'modern' && upstreamEra === 'legacy')

/** The answer's text for the caller, and the status that goes with it. */
export async function describeAnswer(
  answer: Answer,
  delivery: Delivery,
  upstreamEra: Era,
): Promise<{ readonly text: string; readonly status: number }> {
  const result = resultOf(answer)
  if (result !== undefined) {
    const seen = await seenResult(result, delivery, upstreamEra)
    return rewrite(answer, delivery, seen === result ? undefined : ['result', seen])
  }
  return delivery.era === 'modern' ? describeError(answer, delivery) : rewrite(answer, delivery)
}

/** A result as the caller sees it. A modern one says what it is, and for how long it holds (2026-07-28, "Results", "Caching"). */
export async function seenResult(
  raw: string,
  { era, method, border }: Pick<Delivery, 'era' | 'method' | 'border'>,
  upstreamEra: Era,
): Promise<string> {
  const seen = border.isOpen ? raw : await border.result(raw)
  if (era === 'legacy' || !seen.startsWith('{')) return seen
  // Whoever leaves it out means a whole result, and not every client takes that for granted.
  if (upstreamEra === 'modern' && seen.includes('"resultType"')) return seen
  const added =
    method === 'resources/read' && upstreamEra === 'legacy'
      ? { ttlMs: 0, cacheScope: 'private', resultType: 'complete' }
      : { resultType: 'complete' }
  let text = seen
  for (const [key, value] of Object.entries(added)) {
    text = editMember(text, [key], (known) => (known === undefined ? JSON.stringify(value) : undefined))
  }
  return text
}

/** A modern caller learns of a missing capability by status as well (B113), and never sees a retired code. */
function describeError(answer: Answer, delivery: Delivery): { text: string; status: number } {
  const error = memberOf(answer, 'error')
  const code = Number(readMember(error, ['code']))
  if (code === LEGACY_RESOURCE_NOT_FOUND) {
    return rewrite(answer, delivery, ['error', editMember(error, ['code'], () => '-32602')])
  }
  const asked = code === LEGACY_URL_NEEDED ? urlRequests(error, delivery) : undefined
  if (asked !== undefined) return whole(delivery.idText, asked)
  return { ...rewrite(answer, delivery), status: code === MISSING_CAPABILITY ? 400 : 200 }
}

/** URLs that a legacy upstream wants opened first, as the input that a modern one would require. */
function urlRequests(error: string, { capabilities }: Delivery): string | undefined {
  const elicitations = readMember(error, ['data', 'elicitations'])
  if (!elicitations?.startsWith('[') || readMember(capabilities, ['elicitation', 'url']) === undefined) {
    return undefined
  }
  const requests = elementsOf(elicitations).map((element, at): [string, string] => {
    const params = cut(elicitations, element)
    const key = readText(params, ['elicitationId']) ?? `url-${at + 1}`
    return [
      key,
      writeObject([
        ['method', '"elicitation/create"'],
        ['params', params],
      ]),
    ]
  })
  return writeObject([
    ['resultType', '"input_required"'],
    ['inputRequests', writeObject(requests)],
  ])
}

/** The answer under the caller's id, one part of it replaced; every other byte stays. */
function rewrite(
  { text, members }: Answer,
  { idText }: Delivery,
  part?: readonly [member: string, raw: string],
): { readonly text: string; readonly status: number } {
  const id = members.get('id')
  const span = part && members.get(part[0])
  const edits: Edit[] = []
  if (id && idText !== undefined && cut(text, id) !== idText) edits.push({ span: id, text: idText })
  if (span) edits.push({ span, text: part[1] })
  const edited = replace(text, edits)
  return { text: id || idText === undefined ? edited : editMember(edited, ['id'], () => idText), status: 200 }
}

const whole = (idText: string | undefined, result: string) => ({
  text: `{"jsonrpc":"2.0",${idText === undefined ? '' : `"id":${idText},`}"result":${result}}`,
  status: 200,
})

function memberOf(answer: Answer, member: 'result' | 'error'): string {
  const span = answer.members.get(member)
  return span ? cut(answer.text, span) : '{}'
}

/**
 * One message as a whole response, in the form that the caller accepts. `hold`: what the text takes of the memory for
 * answers, given back when the caller has read it, or does not read on.
 */
export function respondWith(text: string, status: number, acceptsJson: boolean, hold?: Hold): Response {
  const headers = acceptsJson ? JSON_HEADERS : STREAM_HEADERS
  const said = acceptsJson ? text : writeEvent(text)
  return new Response(hold ? heldStream(said, hold) : said, { status, headers })
}

function heldStream(text: string, hold: Hold): ReadableStream<Uint8Array> {
  const release = (): void => hold.release()
  const next = async () => ({ text, isLast: true })
  return openOutflow({ next, onEnd: release, onAbandon: release }, OUTFLOW)
}
