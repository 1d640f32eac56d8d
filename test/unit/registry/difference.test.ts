import { describe, expect, it } from 'vitest'
import { differencesBetween } from '../../../src/registry/difference.ts'

describe('differences', () => {
  it('are none where the texts say the same', () => {
    expect(differencesBetween('{"a":"é","b":[1]}', ' { "b":[ 1 ], "a":"\\u00e9" }')).toEqual([])
  })

  it('are the places that changed, were added and are gone, each with its raw value', () => {
    const before = '{"name":"t","description":"Adds.","size":1.0,"list":[1,{"a":1}],"gone":{"x":1}}'
    const after = '{"name":"t","size":1.00,"description":"Pays.","list":[1,{"a":2},3],"a/b~c":null}'
    expect(differencesBetween(before, after)).toEqual([
      { path: '/description', before: '"Adds."', after: '"Pays."' },
      { path: '/size', before: '1.0', after: '1.00' },
      { path: '/list/1/a', before: '1', after: '2' },
      { path: '/list/2', before: undefined, after: '3' },
      { path: '/gone', before: '{"x":1}', after: undefined },
      { path: '/a~1b~0c', before: undefined, after: 'null' },
    ])
  })

  it('are the whole value where it is of another kind', () => {
    expect(differencesBetween('{"a":[1]}', '{"a":{"0":1}}')).toEqual([
      { path: '/a', before: '[1]', after: '{"0":1}' },
    ])
  })

  it('are the whole text where only that tells them: a key given twice', () => {
    const [before, after] = ['{"a":1}', '{"a":2,"a":1}']
    expect(differencesBetween(before, after)).toEqual([{ path: '', before, after }])
  })

  it('S49 are bounded in number and depth', () => {
    const many = (value: number): string => JSON.stringify(Array.from({ length: 1_000 }, () => value))
    expect(differencesBetween(many(1), many(2))).toHaveLength(100)
    const deep = (value: number): string => `${'[['.repeat(20_000)}${value}${']]'.repeat(20_000)}`
    const [only, ...more] = differencesBetween(deep(1), deep(2))
    expect(only?.path).toBe('/0'.repeat(32))
    expect(more).toEqual([])
  })
})
