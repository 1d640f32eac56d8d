/** What reaches a terminal: texts of others without their power, tables, moments. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { inOneLine, neutralise, neutraliseJson } from '../../../cli/plain.ts'
import { readResult } from '../../../cli/result.ts'
import { readFuture, readPast, readSpanMs } from '../../../cli/span.ts'
import { listOf, tableOf } from '../../../cli/table.ts'

const ACTIVE = /(?![\n\t])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u

describe('S61 a text of others', () => {
  it('shows what would act as its code', () => {
    expect(neutralise('a\u001B[31mb\u009Bc\rd\u202Ee')).toBe('a\\x1b[31mb\\x9bc\\x0dd\\u{202e}e')
    expect(inOneLine(' a\n  b\tc\u2060 ')).toBe('a b c\\u{2060}')
  })

  it('never acts, whatever it is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(neutralise(text)).not.toMatch(ACTIVE)
        expect(inOneLine(text)).not.toMatch(/[\p{Cc}\p{Cf}]/u)
      }),
    )
  })

  it('says the same as JSON', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const safe = neutraliseJson(JSON.stringify({ text }))
        expect(safe).not.toMatch(ACTIVE)
        expect(JSON.parse(safe)).toEqual({ text })
      }),
    )
  })
})

describe('a table', () => {
  const rows = [
    { name: 'a', count: 5, isOn: true },
    { name: 'longer\u001B[2J', count: 1_000, isOn: false },
  ]
  const columns = [
    ['NAME', (row: (typeof rows)[number]) => row.name],
    ['COUNT', (row: (typeof rows)[number]) => row.count],
    ['ON', (row: (typeof rows)[number]) => row.isOn],
  ] as const

  it('has columns of one width, with figures to the right', () => {
    expect(tableOf(rows, columns)).toEqual([
      'NAME           COUNT  ON',
      'a                  5  yes',
      'longer\\x1b[2J   1000  no',
    ])
  })

  it('is cut where the terminal ends', () => {
    for (const line of tableOf(rows, columns, 12)) expect([...line].length).toBeLessThanOrEqual(12)
  })

  it('leaves out what there is nothing of', () => {
    const members = [['a', 1] as const, ['bcd', undefined] as const, ['ef', false] as const]
    expect(listOf(members)).toEqual(['a   1', 'ef  no'])
  })
})

describe('a moment', () => {
  const now = Date.parse('2026-11-21T12:00:00Z')

  it('is so long ago, or a time', () => {
    expect(readPast('24h', '--from', now)).toBe('2026-11-20T12:00:00.000Z')
    expect(readFuture('1w', '--expires', now)).toBe('2026-11-28T12:00:00.000Z')
    expect(readPast('2026-01-31T12:00:00+01:00', '--from', now)).toBe('2026-01-31T11:00:00.000Z')
    expect(readSpanMs('90s', '--timeout')).toBe(90_000)
  })

  it.each(['', '24', 'h', '-1h', '1y', '999999999w'])('is not %j', (text) => {
    expect(() => readPast(text, '--from', now)).toThrow('--from must be')
  })
})

describe('the result of a tool', () => {
  it('is its texts, and a word on everything else', () => {
    const content = [
      { type: 'text', text: 'hello' },
      { type: 'image', data: 'AAAA', mimeType: 'image/png' },
      { type: 'resource_link', uri: 'file:///a', name: 'a' },
      { type: 'resource', resource: { uri: 'file:///b', text: 'inside' } },
      { type: 'new' },
      null,
    ]
    expect(readResult({ content, isError: true })).toEqual({
      lines: [
        'hello',
        '[image, image/png, 3 bytes: --json holds it]',
        '[link: a, file:///a]',
        'inside',
        '[new: --json holds it]',
        '[unknown content]',
      ],
      isError: true,
    })
  })

  it('is what is structured, where it says nothing else', () => {
    expect(readResult({ structuredContent: { a: 1 } }).lines).toEqual(['{\n  "a": 1\n}'])
  })
})
