import { expect, it } from 'vitest'
import { wishOf } from '../../../src/mcp/cache-wish.ts'

const hint = (word: unknown): string => JSON.stringify({ 'switchyard/cache': word })
const ANY = Number.POSITIVE_INFINITY

it.each<[header: string | null, meta: string | undefined, maxAgeMs: number, mayKeep: boolean]>([
  [null, undefined, ANY, true],
  [null, '{"progressToken":1}', ANY, true],
  ['no-cache', undefined, 0, true],
  ['No-Cache', undefined, 0, true],
  ['max-age=0', undefined, 0, true],
  ['max-age=60, max-age=10', undefined, 10_000, true],
  ['max-age=60, no-cache', undefined, 0, true],
  ['no-store', undefined, 0, false],
  [' private , no-store ', undefined, 0, false],
  ['max-age=-1, max-age=x, x-no-cache', undefined, ANY, true],
  [null, hint('no-cache'), 0, true],
  [null, hint('no-store'), 0, false],
  ['no-cache', hint('no-store'), 0, false],
  [null, hint({ 'no-store': true }), ANY, true],
  [null, 'null', ANY, true],
])('%s and %s: as old as %d ms, kept: %s', (header, meta, maxAgeMs, mayKeep) => {
  expect(wishOf(header, meta)).toEqual({ maxAgeMs, mayKeep })
})
