import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { renameInParams, renameInResult, renameUi } from '../../../src/protocol/reference.ts'

const rename = (uri: string): string => `new:${uri}`
const link = (uri: string) => `{ "uri" : "${uri}", "type":"resource_link", "size":12345678901234567890 }`

describe('URIs in results', () => {
  it.each([
    ['a link', `{"content":[${link('a:1')}]}`, `{"content":[${link('new:a:1')}]}`],
    [
      'an embedded resource, key order and white space kept',
      '{"content" : [ {"resource":{"text":"x","uri":"a:1","n":1e400},"type":"resource"} ],"z":1}',
      '{"content" : [ {"resource":{"text":"x","uri":"new:a:1","n":1e400},"type":"resource"} ],"z":1}',
    ],
    [
      'a prompt with one block of content, and with several',
      `{"messages":[{"role":"user","content":${link('a:1')}},{"content":[${link('a:2')},${link('a:3')}]}]}`,
      `{"messages":[{"role":"user","content":${link('new:a:1')}},{"content":[${link('new:a:2')},${link('new:a:3')}]}]}`,
    ],
    [
      'contents that were read',
      '{"contents":[{"uri":"a:1","text":"a:1"},{"blob":"","uri":"a:2"}]}',
      '{"contents":[{"uri":"new:a:1","text":"a:1"},{"blob":"","uri":"new:a:2"}]}',
    ],
    [
      'a user interface, both keys',
      '{"_meta":{"ui/resourceUri":"a:1","ui":{"resourceUri":"a:2","x":1},"other":{"resourceUri":"a:3"}}}',
      '{"_meta":{"ui/resourceUri":"new:a:1","ui":{"resourceUri":"new:a:2","x":1},"other":{"resourceUri":"a:3"}}}',
    ],
    [
      'escapes in keys, types and values',
      '{"c\\u006fntent":[{"type":"resource\\u005flink","\\u0075ri":"a:\\u0031\\""}]}',
      '{"c\\u006fntent":[{"type":"resource\\u005flink","\\u0075ri":"new:a:1\\""}]}',
    ],
    [
      'of a key given twice the last',
      '{"content":[{"type":"resource_link","uri":"a:1","uri":"a:2"}]}',
      '{"content":[{"type":"resource_link","uri":"a:1","uri":"new:a:2"}]}',
    ],
    [
      'a type given twice: the last counts',
      '{"content":[{"type":"resource_link","type":"text","uri":"a:1"},{"type":"x","type":"resource_link","uri":"a:1"}]}',
      '{"content":[{"type":"resource_link","type":"text","uri":"a:1"},{"type":"x","type":"resource_link","uri":"new:a:1"}]}',
    ],
    ['a result after white space', `\n {"content":[${link('a')}]} `, `\n {"content":[${link('new:a')}]} `],
  ])('%s', (_, before, after) => {
    expect(renameInResult(before, rename)).toBe(after)
    expect(() => JSON.parse(after)).not.toThrow()
  })

  it.each([
    '{"content":[{"type":"text","text":"a:1","uri":"a:1"},{"type":"vendor/link","uri":"a:1"}]}',
    '{"content":[{"type":"resource_link"},{"type":"resource_link","uri":5},{"type":"resource","resource":"a:1"}]}',
    '{"content":[{"type":"resource","resource":null},7,null,"a:1",["a:1"],[{"uri":"a:1"}]]}',
    '{"content":"a:1","contents":{"uri":"a:1"},"messages":{"content":[]},"_meta":"ui/resourceUri"}',
    '{"structuredContent":{"contents":[{"uri":"a:1"}]},"uri":"a:1","inputRequests":{"x":{"uri":"a:1"}}}',
    '{"_meta":{"ui":"a:1","ui/resourceUri":{"resourceUri":"a:1"}}}',
    '[{"uri":"a:1"}]',
    '"text"',
    'null',
    '{}',
  ])('nothing but places of URIs: %s', (text) => {
    expect(renameInResult(text, rename)).toBe(text)
  })

  it('the text is not even copied where no name changes', () => {
    const asked: string[] = []
    const text =
      '{"content":[{"type":"resource_link","uri":"a:\\u0031"}],"_meta":{"ui":{"resourceUri":"a:2"}}}'
    const same = renameInResult(text, (uri) => {
      asked.push(uri)
      return uri
    })
    expect(same).toBe(text)
    expect(asked).toEqual(['a:1', 'a:2'])
  })

  it('any result means the same afterwards, its URIs aside', () => {
    const block = fc.oneof(
      fc.record({ type: fc.constant('resource_link'), uri: fc.string() }),
      fc.record({
        type: fc.constant('resource'),
        resource: fc.record({ uri: fc.string(), text: fc.string() }),
      }),
      fc.jsonValue(),
    )
    const result = fc.record({ content: fc.array(block), contents: fc.jsonValue(), other: fc.jsonValue() })
    fc.assert(
      fc.property(result, fc.nat(2), (value, indent) => {
        const text = JSON.stringify(value, null, indent)
        const there = renameInResult(text, rename)
        expect(renameInResult(there, (uri) => uri.replace(/^new:/, ''))).toBe(text)
        expect(renameInResult(text, (uri) => uri)).toBe(text)
      }),
    )
  })
})

describe('URIs elsewhere', () => {
  it('the resource that was updated', () => {
    const params = '{"_meta":{"x":12345678901234567890},"uri" : "a:1"}'
    expect(renameInParams(params, rename)).toBe(params.replace('a:1', 'new:a:1'))
    expect(renameInParams('{"level":"info","data":{"uri":"a:1"}}', rename)).toBe(
      '{"level":"info","data":{"uri":"a:1"}}',
    )
  })

  it('the interface of a tool', () => {
    expect(renameUi('{"name":"t","_meta":{"ui":{"resourceUri":"a:1"}},"uri":"a:2"}', rename)).toBe(
      '{"name":"t","_meta":{"ui":{"resourceUri":"new:a:1"}},"uri":"a:2"}',
    )
  })
})
