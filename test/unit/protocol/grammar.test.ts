import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isJson } from '../../../src/protocol/grammar.ts'

function isParsed(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

const SIGNS = [
  '{',
  '}',
  '[',
  ']',
  ',',
  ':',
  '"',
  '\\',
  'u',
  '0',
  '1',
  '-',
  '+',
  '.',
  'e',
  'E',
  ' ',
  '\n',
  '\0',
  'a',
]
const WORDS = [
  'true',
  'false',
  'null',
  '"a"',
  '"a":',
  '\\u00e9',
  '\\u00g0',
  '{}',
  '[]',
  '1e5',
  '\u00a0',
  '\ufeff',
  'é',
]
const piece = fc.constantFrom(...SIGNS, ...WORDS)
const spliced = fc
  .tuple(fc.jsonValue(), fc.nat(3), fc.nat(), fc.nat(4), fc.array(piece, { maxLength: 3 }))
  .map(([value, indent, place, gone, put]) => {
    const text = JSON.stringify(value, null, indent)
    const at = place % (text.length + 1)
    return text.slice(0, at) + put.join('') + text.slice(at + gone)
  })

describe('whether a text is JSON', () => {
  it('is told as JSON.parse tells it, of texts that are and of texts that nearly are', () => {
    fc.assert(
      fc.property(spliced, (text) => {
        expect(isJson(text)).toBe(isParsed(text))
      }),
      { numRuns: 5_000 },
    )
  })

  it('is told as JSON.parse tells it, of any row of signs', () => {
    const text = fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join(''))
    fc.assert(
      fc.property(text, (text) => {
        expect(isJson(text)).toBe(isParsed(text))
      }),
      { numRuns: 20_000 },
    )
  })

  it('is told as JSON.parse tells it, of long strings with many escapes', () => {
    const right = fc.constantFrom('a', 'é', '\u2028', '\\n', '\\"', '\\\\', '\\u00E9', 'x'.repeat(30))
    const wrong = fc.constantFrom('\n', '\0', '\x1f', '"', '\\', '\\a', '\\u00g0', '\\u00')
    const run = fc.array(right, { maxLength: 400 }).map((pieces) => pieces.join(''))
    fc.assert(
      fc.property(run, fc.option(wrong, { nil: '' }), run, (before, odd, after) => {
        for (const text of [`"${before}${odd}${after}"`, `"${before}${odd}`, `{"${before}${odd}${after}":1}`])
          expect(isJson(text)).toBe(isParsed(text))
      }),
      { numRuns: 1_000 },
    )
  })

  it('S49 is told of texts of any depth', () => {
    expect(isJson('['.repeat(60_000) + ']'.repeat(60_000))).toBe(true)
    expect(isJson('['.repeat(4_000_000))).toBe(false)
    expect(isJson('{"a":'.repeat(1_000_000))).toBe(false)
  })

  it('S49 is told of strings of any length', () => {
    expect(isJson(`"${'\\"'.repeat(4_000_000)}"`)).toBe(true)
    expect(isJson(`"${'\\"'.repeat(4_000_000)}`)).toBe(false)
  })
})
