/**
 * The answers to the messages of one batch, as one (2025-03-26, "Batching"). A few at a time are waited for, and what
 * they say is counted together: it is held until the last of them is there.
 */
import type { Hold } from '../platform/budget.ts'
import { Slots } from '../platform/slots.ts'
import { holdText, MEMORY_BACK_MS } from '../protocol/memory.ts'
import { refuse } from '../protocol/refusal.ts'
import { accepted } from '../protocol/result.ts'
import { respondWith } from '../upstream/deliver.ts'

export type BatchMessage = {
  /** `undefined`: it has no id that could be read. */
  readonly idText: string | undefined
  /** Answers it as if it came alone. */
  readonly answer: () => Promise<Response>
}

/** In the order of the messages; those that are not to be answered are left out. */
export async function answerBatch(messages: readonly BatchMessage[], hold: Hold): Promise<Response> {
  const slots = new Slots()
  let size = 0
  const bodies = await Promise.all(
    messages.map(({ idText, answer }) =>
      slots.use(async () => {
        const text = await (await answer()).text()
        if (holdText(hold, size + text.length)) {
          size += text.length
          return text
        }
        return await refuse({ why: 'overloaded', retryAfterMs: MEMORY_BACK_MS }, idText).text()
      }),
    ),
  )
  const answers = bodies.filter((body) => body !== '')
  if (answers.length === 0) return accepted()
  return respondWith(`[${answers.join(',')}]`, 200, true, hold.bytes > 0 ? hold : undefined)
}
