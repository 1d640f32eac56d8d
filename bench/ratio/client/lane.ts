/** One client of a lap: a conversation of its own, in which the same is asked again and again. */
import { sayAgain } from '../offer.ts'
import { checkCall, type ListCheck } from './check.ts'
import { Conversation } from './conversation.ts'
import type { LapPlan, Work } from './lap.ts'

export type Lane = {
  /** Asks once. Rejects with what is wrong with the answer. */
  turn(): Promise<void>
  close(): void
}

/** Greets, and asks once: what is made for a client when it is new, a session with an upstream, is part of no lap. */
export async function openLane({ contender, work }: LapPlan, list: ListCheck, lane: number): Promise<Lane> {
  const conversation = await Conversation.open(contender, work.is === 'call' && work.isModern)
  const turn = work.is === 'list' ? listTurn(conversation, list) : callTurn(conversation, work, lane)
  try {
    await turn()
    return { turn, close: () => conversation.close() }
  } catch (error) {
    conversation.close()
    throw error
  }
}

/** The same id every time, for what answers the same bytes to everybody. */
const listTurn = (conversation: Conversation, list: ListCheck) => async (): Promise<void> =>
  mustBeRight(list.check(await conversation.ask(1, 'tools/list', ''), 1))

function callTurn(conversation: Conversation, work: Work & { readonly is: 'call' }, lane: number) {
  const { tools, wording } = work
  const data = wording.data > 0 ? `,"data":"${'x'.repeat(wording.data)}"` : ''
  const more = wording.more > 0 ? `,"more":${wording.more}` : ''
  // Ids are the same in every lane, as those of real clients are.
  let id = 0
  return async (): Promise<void> => {
    id++
    const name = tools[(id + lane) % tools.length] ?? ''
    const text = `${lane} ${id} ${Math.random().toString(36).slice(2)}`
    const members = `"name":"${name}","arguments":{"text":"${text}"${more}${data}}`
    const answer = await conversation.ask(id, 'tools/call', members, name)
    mustBeRight(checkCall(answer, id, sayAgain(name, { ...wording, text })))
  }
}

function mustBeRight(fault: string | undefined): void {
  if (fault !== undefined) throw new Error(fault)
}
