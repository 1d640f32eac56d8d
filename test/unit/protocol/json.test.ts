import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { cut, elementsOf, measureJson, membersOf, writeObject } from '../../../src/protocol/json.ts'

const spaced = (value: unknown, indent: number): string => JSON.stringify(value, null, indent)

describe('places in a JSON text', () => {
  it('finds every member of any object, whatever stands in it', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.nat(3), (object, indent) => {
        const text = spaced(object, indent)
        const found = [...membersOf(text)].map(([key, span]) => [key, JSON.parse(cut(text, span))])
        expect(found).toEqual(Object.entries(JSON.parse(text)))
      }),
    )
  })

  it('finds every element of any array', () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue()), fc.nat(3), (array, indent) => {
        const text = spaced(array, indent)
        expect(elementsOf(text).map((span) => JSON.parse(cut(text, span)))).toEqual(JSON.parse(text))
      }),
    )
  })

  it('keeps raw values digit for digit', () => {
    const text = '{ "big": 12345678901234567890, "e": 1e400, "s": "a\\u0000\\"}" , "__proto__": {"a":1} }'
    const members = membersOf(text)
    expect([...members].map(([key, span]) => [key, cut(text, span)])).toEqual([
      ['big', '12345678901234567890'],
      ['e', '1e400'],
      ['s', '"a\\u0000\\"}"'],
      ['__proto__', '{"a":1}'],
    ])
  })

  it('B63 takes the last of two members of one name', () => {
    const text = '{"a":1,"a":2}'
    const span = membersOf(text).get('a')
    expect(span && cut(text, span)).toBe('2')
  })

  it('writes an object that reads back as it was', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (object) => {
        const text = JSON.stringify(object)
        const raw = [...membersOf(text)].map(([key, span]) => [key, cut(text, span)] as const)
        expect(writeObject(raw)).toBe(text)
      }),
    )
  })
})

describe('measuring', () => {
  it('counts nesting, not brackets in strings', () => {
    expect(measureJson('{"a":["[[[[","\\"{{{"]}').depth).toBe(2)
  })

  it('B45 measures 200,000 levels without recursion', () => {
    expect(measureJson('['.repeat(200_000)).depth).toBe(200_000)
  })

  it('never counts fewer values than there are', () => {
    const count = (value: unknown): number =>
      typeof value === 'object' && value !== null
        ? Object.values(value).reduce<number>((sum, inner) => sum + count(inner), 1)
        : 1
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(measureJson(JSON.stringify(value)).nodes).toBeGreaterThanOrEqual(
          count(JSON.parse(JSON.stringify(value))),
        )
      }),
    )
  })

  it('tells where long containers end, so that nobody looks for it again', () => {
    const inner = fc.oneof(
      fc.jsonValue(),
      fc.array(fc.constantFrom('{"[', 1, null, {}), { minLength: 100, maxLength: 1_000 }),
    )
    const outer = fc.dictionary(fc.string(), fc.oneof(inner, fc.dictionary(fc.string(), inner)))
    let found = 0
    fc.assert(
      fc.property(fc.dictionary(fc.string(), outer), fc.nat(3), (object, indent) => {
        const text = spaced(object, indent)
        const { ends } = measureJson(text)
        found += ends.size
        const members = membersOf(text)
        expect(membersOf(text, 0, ends)).toEqual(members)
        for (const { start } of members.values()) {
          if (text[start] === '{') expect(membersOf(text, start, ends)).toEqual(membersOf(text, start))
        }
      }),
    )
    expect(found).toBeGreaterThan(10)
  })

  it('ends on any text at all', () => {
    fc.assert(fc.property(fc.string(), (text) => measureJson(text).depth >= 0))
  })
})
