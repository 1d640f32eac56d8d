/** What an upstream wants to know in the middle of a call, put to its caller across the eras. */
import { readMember } from '../protocol/edit.ts'
import { writeObject } from '../protocol/json.ts'
import { LIMITS } from '../protocol/limits.ts'
import {
  answerText,
  type Conversation,
  faultPiece,
  type Piece,
  refusalPiece,
  type Sent,
} from './conversation.ts'
import { capabilityFor, type Standstill, takesRequest } from './input.ts'
import { reply, replyAlone } from './reply.ts'

/** The id of the caller's request that is answered from here on, or that the conversation is over. */
export type Passed = { readonly idText: string | undefined; readonly isAsked: boolean } | 'over'

/** A request of a legacy upstream: to the caller, where it takes it, by the way that its era knows. */
export async function* passRequest(
  talk: Conversation,
  standstill: Standstill,
): AsyncGenerator<Piece, Passed, void> {
  const { idText, inputs } = talk
  const { asked, dialect } = standstill
  if (inputs.is === 'park' && takesRequest(talk.capabilities, asked.method)) {
    return yield* parkUntilAnswered(talk, standstill)
  }
  const text = talk.era === 'legacy' ? await talk.border.request(asked) : undefined
  if (text !== undefined) {
    talk.deadline.restart(LIMITS.inputWaitMs)
    yield { text, status: 200, isLast: false }
    return { idText, isAsked: true }
  }
  talk.background(replyAlone(talk.connection, dialect, asked))
  const capability = talk.era === 'modern' ? capabilityFor(asked.method) : undefined
  if (capability === undefined) return { idText, isAsked: false }
  yield refusalPiece({ why: 'missing_capability', capability, status: 400 }, idText)
  return 'over'
}

/** Asks until the caller brings an answer; a caller that never comes back ends the call (B109). */
async function* parkUntilAnswered(
  talk: Conversation,
  standstill: Standstill,
): AsyncGenerator<Piece, Passed, void> {
  if (talk.inputs.is !== 'park') return 'over'
  const { asked, dialect } = standstill
  const answer = (member: 'result' | 'error', outcome: string): void =>
    talk.background(reply(talk.connection, dialect, asked, member, outcome))
  let { idText } = talk
  for (;;) {
    talk.deadline.restart(LIMITS.inputWaitMs)
    const text = inputRequired(idText, standstill, await talk.inputs.park(standstill))
    yield { text, status: 200, isLast: true }
    const back = await talk.inputs.returned()
    if (!back) {
      answer('error', '{"code":-32000,"message":"The client did not answer in time"}')
      return 'over'
    }
    idText = back.idText
    const response = back.inputResponses.get(INPUT_KEY)
    if (response === undefined) continue
    answer('result', response)
    talk.deadline.restart(Math.max(talk.timeoutMs, LIMITS.streamTotalMs))
    return { idText, isAsked: false }
  }
}

/** Legacy upstreams ask one thing at a time on a stream; each is a round of its own. */
export const INPUT_KEY = 'input'

/**
 * The input that a modern upstream requires of a legacy caller, and what came of the next round; `undefined`: the
 * caller was told that there is none.
 */
export async function* passInputRequired(
  talk: Conversation,
  result: string,
): AsyncGenerator<Piece, Sent | undefined, void> {
  const { idText, inputs } = talk
  if (inputs.is !== 'ask') {
    yield refusalPiece({ why: 'missing_capability', capability: 'elicitation', status: 200 }, idText)
    return undefined
  }
  const question = await inputs.ask(readMember(result, ['inputRequests']) ?? '{}')
  talk.deadline.restart(LIMITS.inputWaitMs)
  for (const text of question.messages) yield { text, status: 200, isLast: false }
  const answers = await question.answers()
  if (answers.is !== 'given') {
    yield answers.is === 'refused'
      ? { text: answerText(idText, 'error', answers.error), status: 200, isLast: true }
      : faultPiece(talk.service, { is: 'timeout', afterMs: LIMITS.inputWaitMs }, idText)
    return undefined
  }
  talk.deadline.restart(talk.timeoutMs)
  const next = await talk.again(answers.inputResponses, readMember(result, ['requestState']))
  if ('response' in next) return next
  yield faultPiece(talk.service, next, idText)
  return undefined
}

/** The answer that asks a modern caller for what its upstream wants to know. */
export function inputRequired(
  idText: string | undefined,
  { asked }: Standstill,
  requestState: string,
): string {
  const { method, params = '{}', rest = [] } = asked
  const request = writeObject([['method', JSON.stringify(method)], ['params', params], ...rest])
  const result = writeObject([
    ['resultType', '"input_required"'],
    ['inputRequests', writeObject([[INPUT_KEY, request]])],
    ['requestState', JSON.stringify(requestState)],
  ])
  return answerText(idText, 'result', result)
}
