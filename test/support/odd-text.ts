/** Faults put into the text of a message, or into its bytes. */
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'

/** Values as raw JSON, or nearly: what stands where something else should. */
const ODD_VALUES = [
  'null',
  'true',
  '[]',
  '{}',
  '""',
  '0',
  '-0',
  '1.5',
  '1e400',
  '-1E-400',
  '9007199254740993',
  '12345678901234567890123456789012345678901234567890',
  '"\\ud800"',
  '"\\u0000\\u001b[31m\\u202e"',
  '"__proto__"',
  '{"__proto__":{"a":1}}',
  '{"toString":1,"constructor":null}',
  '[[[[[[]]]]]]',
  '"x\r\ny"',
  'NaN',
  '"\\x"',
  '"a\u0000b"',
]
export const oddValue: fc.Arbitrary<string> = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...ODD_VALUES) },
  { weight: 2, arbitrary: fc.json({ maxDepth: 4 }) },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 5_000 }).map((n) => `${'['.repeat(n)}${']'.repeat(n)}`) },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 25_000 }).map((n) => `[${'0,'.repeat(n)}0]`) },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 200_000 }).map((n) => `"${'ü'.repeat(n)}"`) },
)

/** The places of a JSON text where a value begins or ends, so that faults hit what matters. */
const placesOf = (text: string): number[] => [...text.matchAll(/[{}[\]:,"]/g)].map(({ index }) => index)

const PLACE = fc.nat({ max: 10_000 })
export type Edit = (text: string) => string
export const edit: fc.Arbitrary<Edit> = fc.oneof(
  // One value instead of another.
  fc.tuple(PLACE, oddValue).map(([at, odd]): Edit => (text) => {
    const values = [...text.matchAll(/(?<=[:[,])("[^"]*"|[\d.]+|\{\}|\[\])(?=[,\]}])/g)]
    const found = values[at % Math.max(1, values.length)]
    return found ? text.slice(0, found.index) + odd + text.slice(found.index + found[0].length) : odd
  }),
  // One member more, under a name that is there already or should not be.
  fc
    .tuple(
      PLACE,
      fc.constantFrom('id', 'method', 'params', 'name', '_meta', 'jsonrpc', '__proto__', 'm\\u0065thod'),
      oddValue,
    )
    .map(([at, name, odd]): Edit => (text) => {
      const opens = [...text.matchAll(/\{/g)]
      const place = (opens[at % Math.max(1, opens.length)]?.index ?? -1) + 1
      return `${text.slice(0, place)}"${name}":${odd},${text.slice(place)}`
    }),
  // Cut off, or a piece put in, at a place that matters.
  fc
    .tuple(PLACE, fc.constantFrom('', ',', '}', '{', ']', '\\', '"', '//', '\u2028'))
    .map(([at, piece]): Edit => (text) => {
      const places = placesOf(text)
      const place = places[at % Math.max(1, places.length)] ?? 0
      return piece === '' ? text.slice(0, place) : text.slice(0, place) + piece + text.slice(place)
    }),
)

export type Coat = (bytes: Uint8Array) => Uint8Array
export const coat: fc.Arbitrary<Coat> = fc.oneof(
  { weight: 12, arbitrary: fc.constant<Coat>((bytes) => bytes) },
  {
    weight: 4,
    arbitrary: fc.tuple(PLACE, fc.nat({ max: 7 })).map(([at, bit]): Coat => (bytes) => {
      const place = at % Math.max(1, bytes.length)
      return bytes.map((byte, index) => (index === place ? byte ^ (1 << bit) : byte))
    }),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom<Coat>(
      (bytes) => new Uint8Array(Buffer.concat([Uint8Array.of(0xef, 0xbb, 0xbf), bytes])),
      (bytes) => new Uint8Array(Buffer.concat([Uint8Array.of(0xff, 0xfe), bytes])),
      (bytes) => new Uint8Array(Buffer.from(Buffer.from(bytes).toString(), 'utf16le')),
      (bytes) => new Uint8Array(Buffer.from(Buffer.from(bytes).toString(), 'latin1')),
      (bytes) => new Uint8Array(gzipSync(bytes)),
    ),
  },
)
