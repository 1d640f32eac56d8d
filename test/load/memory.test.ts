/** Row L6: what the isolate's heap takes at its peak while more large answers come at once than it could hold. */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { findFreePort } from '../../local/port.ts'
import { openYard, type Yard } from '../support/base.ts'
import { eventually } from '../support/gateway.ts'
import { Inspector } from '../support/inspector.ts'

const MIB = 1_048_576
const ANSWERS = 40
/** Just below the limit of an answer. */
const TEXT_BYTES = 8 * MIB - 1_000
const PEAK_BYTES = 96 * MIB
/** Has V8 collect before that, as the limit of an isolate does on the edge: left alone, it lets garbage lie. */
const V8_FLAGS = ['--max-old-space-size=56']

let yard: Yard
let inspector: Inspector
beforeAll(async () => {
  const inspectorAddress = `127.0.0.1:${await findFreePort()}`
  yard = await openYard({ era: 'legacy' }, { inspectorAddress, v8Flags: V8_FLAGS })
  await eventually(5_000, async () => {
    inspector = await Inspector.open(inspectorAddress)
  })
})
afterAll(async () => {
  inspector.close()
  await yard.close()
})

/** What stands in the answer: as many bytes of the kind that costs most, each in its own way. */
const CONTENTS: readonly (readonly [kind: string, json: string])[] = [
  ['one text', `"${'x'.repeat(TEXT_BYTES)}"`],
  ['one text whose characters take two bytes', `"€${'x'.repeat(TEXT_BYTES - 3)}"`],
  ['one text of another script', `"${'中'.repeat(TEXT_BYTES / 3)}"`],
  ['empty objects', `[${'{},'.repeat(TEXT_BYTES / 3)}{}]`],
]

/** The most that the heap took, looked at again and again, while the work went on. */
async function peakDuring(work: () => Promise<unknown>): Promise<number> {
  let peak = 0
  const over = new AbortController()
  const watch = async (): Promise<void> => {
    while (!over.signal.aborted) {
      peak = Math.max(peak, await inspector.heapBytes())
      await sleep(5)
    }
  }
  const watching = watch()
  await work()
  over.abort()
  await watching
  return peak
}

describe('forty answers of 8 MiB at once', () => {
  it.each(CONTENTS)(
    'L6 F67 of %s take at most 96 MiB, and leave nothing',
    { timeout: 120_000 },
    async (_, json) => {
      const collect = () => inspector.collect(() => yard.gateway.fetch('/health'))
      await collect()
      const before = await inspector.heapBytes()
      const body = (id: string): string =>
        `{"jsonrpc":"2.0","id":${id},"result":{"content":[],"more":${json}}}`
      yard.upstream.dial.clear()
      yard.upstream.dial.set({ is: 'respond', for: 'tools/call', pieceBytes: 65_536, body })
      const outcomes: (number | undefined)[] = []
      // Of a modern caller, for whom the answer of a legacy upstream is rewritten.
      const call = async (): Promise<void> => {
        const answer = await yard.gateway.modern('tools/call', { name: 'echo' })
        outcomes.push(answer.body.error?.code)
      }
      const peak = await peakDuring(() => Promise.all(Array.from({ length: ANSWERS }, call)))
      expect(peak).toBeLessThan(PEAK_BYTES)
      expect(outcomes).toContain(undefined)
      expect(new Set(outcomes)).toEqual(new Set([undefined, -31503]))
      await collect()
      expect(await inspector.heapBytes()).toBeLessThan(before + MIB)
    },
  )
})
