/** L6. The largest answers that are let through, all at once (F67). */
import { setTimeout as sleep } from 'node:timers/promises'
import { offer } from '../offer.ts'
import type { Sample } from '../plan.ts'
import { callShot } from '../request.ts'
import { atMost, type Figure, none, type Row } from '../row.ts'
import type { Heap } from '../heap.ts'

const ANSWERS = 40
/** Just below the most that is read of one answer. */
const ANSWER_BYTES = 8 * 1024 ** 2 - 4_096
const WITHIN_MS = 100
const LOOK_EVERY_MS = 10
const MOST_MIB = 96
const OUT_OF_MEMORY = -31503

export const memory: Row = {
  id: 'L6',
  what: `${ANSWERS} answers of 8 MiB at once`,
  async run({ scale, openInspected }) {
    const { add, heap } = await openInspected()
    const { target, upstream } = await add('service-1')
    upstream.dial.clear()
    upstream.dial.set({ is: 'huge_json', bytes: ANSWER_BYTES, for: 'tools/call' })
    const load = {
      kind: 'huge',
      shot: callShot(target.url, target.tool),
      ratePerSecond: (scale.count(ANSWERS) * 1_000) / WITHIN_MS,
      fromMs: 0,
      forMs: WITHIN_MS,
    }
    const peak = watchHeap(heap)
    const samples = await offer([load])
    const mib = (await peak.end()) / 1024 ** 2
    const answered = samples.filter(({ outcome }) => outcome === 'result')
    const isExpected = ({ outcome, code }: Sample): boolean => outcome === 'result' || code === OUT_OF_MEMORY
    return [
      atMost('most heap in use', mib, MOST_MIB, 'MiB'),
      share('answered; the others are told to come again', answered.length, samples.length),
      none(
        'answered otherwise',
        samples.filter((sample) => !isExpected(sample)),
      ),
    ]
  },
}

/** The most that is in use until it is told to end. */
function watchHeap(heap: Heap): { end(): Promise<number> } {
  const over = new AbortController()
  const looking = (async () => {
    let most = 0
    while (!over.signal.aborted) {
      most = Math.max(most, await heap.used())
      await sleep(LOOK_EVERY_MS)
    }
    return most
  })()
  return {
    end() {
      over.abort()
      return looking
    },
  }
}

const share = (what: string, part: number, whole: number): Figure => ({
  what,
  figure: `${part} of ${whole}`,
  target: '≥ 1',
  holds: part > 0,
})
