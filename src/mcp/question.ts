/** Putting what a modern upstream requires to a legacy client: requests on its stream, answers from wherever they come. */
import type { Session } from '../identity/session.ts'
import type { SessionMemory } from './memory.ts'
import { editMember, readMember, readText } from '../protocol/edit.ts'
import { cut, membersOf, writeObject } from '../protocol/json.ts'
import { LIMITS } from '../protocol/limits.ts'
import { unknownMembers } from '../protocol/message.ts'
import { describeRefusal } from '../protocol/refusal.ts'
import type { AllTickets } from './tickets.ts'
import { type Answers, type Question, takesRequest } from '../upstream/input.ts'

type Ports = { readonly memory: SessionMemory; readonly tickets: AllTickets }

/** Asks the client of this session. A part that it has not declared to take counts as refused. */
export const askOf =
  (session: Session, { memory, tickets }: Ports) =>
  async (inputRequests: string): Promise<Question> => {
    const question = crypto.randomUUID()
    const messages: string[] = []
    const keys: string[] = []
    for (const [key, span] of membersOf(inputRequests)) {
      const request = cut(inputRequests, span)
      const method: unknown = JSON.parse(readMember(request, ['method']) ?? 'null')
      if (typeof method !== 'string' || !takesRequest(session.capabilities, method)) {
        const error = { code: -32021, message: 'Client capability required', data: { method } }
        return { messages: [], answers: async () => ({ is: 'refused', error: JSON.stringify(error) }) }
      }
      const id = await tickets.requests.seal({ is: 'question', question, key }, session.name)
      keys.push(key)
      messages.push(
        writeObject([
          ['jsonrpc', '"2.0"'],
          ['id', JSON.stringify(id)],
          ['method', JSON.stringify(method)],
          ['params', legacyParams(readMember(request, ['params']) ?? '{}')],
          ...(unknownMembers(request, membersOf(request)).rest ?? []),
        ]),
      )
    }
    return { messages, answers: () => collect(session, question, keys, memory) }
  }

/**
 * A URL that is to be opened had an id of its own in the legacy era (2025-11-25, "URL Mode Elicitation Requests"),
 * which its clients demand.
 */
const legacyParams = (params: string): string =>
  readText(params, ['mode']) === 'url'
    ? editMember(params, ['elicitationId'], (own) =>
        own === undefined ? JSON.stringify(crypto.randomUUID()) : undefined,
      )
    : params

async function collect(
  session: Session,
  question: string,
  keys: readonly string[],
  memory: SessionMemory,
): Promise<Answers> {
  const outcomes = await memory.collect(session, question, keys, LIMITS.inputWaitMs)
  if (!outcomes.ok) {
    const { code, message } = describeRefusal(outcomes.error)
    return { is: 'refused', error: JSON.stringify({ code, message }) }
  }
  if (!outcomes.value) return { is: 'late' }
  const inputResponses: [string, string][] = []
  for (const [key, outcome] of Object.entries(outcomes.value)) {
    const error = readMember(outcome, ['error'])
    if (error !== undefined) return { is: 'refused', error }
    inputResponses.push([key, readMember(outcome, ['result']) ?? '{}'])
  }
  return { is: 'given', inputResponses: writeObject(inputResponses) }
}
