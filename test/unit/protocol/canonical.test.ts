import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canonicalJson } from '../../../src/protocol/canonical.ts'

describe('the canonical text', () => {
  it('is the same for another order of keys, other white space and other escapes', () => {
    const said = '{"b":[1,{"d":"é\\n","c":null}],"a":{}}'
    for (const same of [
      '{"a":{},"b":[1,{"c":null,"d":"é\\n"}]}',
      ' {\n"b" : [ 1 , { "d":"\\u00e9\\u000a" ,"c":null} ],\t"a" :{ } } ',
      '{"\\u0061":{},"b":[1,{"c":null,"d":"\\u00E9\\n"}]}',
    ])
      expect(canonicalJson(same)).toBe(canonicalJson(said))
  })

  it.each([
    ['another value', '{"a":1}', '{"a":2}'],
    ['a number written otherwise', '{"a":1}', '{"a":1.0}'],
    ['a number beyond what JavaScript can tell apart', '[9007199254740993]', '[9007199254740992]'],
    ['a number as a string', '[1]', '["1"]'],
    ['another key', '{"a":1}', '{"b":1}'],
    ['one key more', '{"a":1}', '{"a":1,"b":null}'],
    ['another order of elements', '[1,2]', '[2,1]'],
    ['another nesting', '[[1],2]', '[[1,2]]'],
    ['an empty object for an empty array', '[{}]', '[[]]'],
    ['another case', '["a"]', '["A"]'],
    ['a letter that looks the same', '["a"]', '["а"]'],
    ['a hidden character', '["a"]', '["a\\u200b"]'],
    ['white space within a string', '["a b"]', '["a  b"]'],
    ['a key given twice', '{"a":1}', '{"a":2,"a":1}'],
    ['the order of a key given twice', '{"a":2,"a":1}', '{"a":1,"a":2}'],
  ])('is another for %s', (_, one, other) => {
    expect(canonicalJson(one)).not.toBe(canonicalJson(other))
  })

  it('says what the text says, whatever that is', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const canonical = canonicalJson(JSON.stringify(value, null, 2))
        expect(JSON.parse(canonical)).toEqual(JSON.parse(JSON.stringify(value)))
        expect(canonicalJson(canonical)).toBe(canonical)
      }),
    )
  })

  it('S49 holds against any depth and length', () => {
    const deep = `${'[{"a":'.repeat(50_000)}0${'}]'.repeat(50_000)}`
    expect(canonicalJson(deep)).toBe(deep)
    const many = `[${'"\\u0041",'.repeat(100_000)}1]`
    expect(canonicalJson(many).length).toBe(4 * 100_000 + 3)
  })
})
