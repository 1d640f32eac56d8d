import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { EventReader, writeEvent } from '../../../src/protocol/sse.ts'

const readAll = (pieces: readonly string[]) => {
  const reader = new EventReader()
  return pieces.flatMap((piece) => reader.read(piece))
}

describe('server-sent events', () => {
  it('reads back what it wrote, cut anywhere', () => {
    const message = fc.jsonValue().map((value) => JSON.stringify({ value }, null, 1))
    fc.assert(
      fc.property(fc.array(message), fc.array(fc.nat(40), { minLength: 1 }), (messages, cuts) => {
        let rest = messages.map((text) => writeEvent(text)).join('')
        const pieces: string[] = []
        for (let at = 0; rest !== ''; at++) {
          const size = (cuts[at % cuts.length] ?? 0) + 1
          pieces.push(rest.slice(0, size))
          rest = rest.slice(size)
        }
        expect(readAll(pieces).map(({ data }) => JSON.parse(data))).toEqual(
          messages.map((text) => JSON.parse(text)),
        )
      }),
    )
  })

  it.each(['\n', '\r\n', '\r'])('takes %j as the end of a line, even cut in half', (end) => {
    const text = `: comment${end}id: 7${end}data: {"a":${end}data: 1}${end}${end}data: 2${end}${end}`
    for (let at = 0; at <= text.length; at++) {
      const events = readAll([text.slice(0, at), text.slice(at)])
      expect(events).toEqual([{ data: '{"a":\n1}', id: '7' }, { data: '2' }])
    }
  })

  it('drops comments, and keeps events without data that mark a place or a pause', () => {
    expect(readAll([': ping\n\n', 'event: x\n\n', 'data: x\n\n'])).toEqual([{ data: 'x' }])
    expect(readAll(['id: 1\nretry: 20\ndata:\n\n'])).toEqual([{ data: '', id: '1', retry: '20' }])
  })

  it('S43 keeps a line break in a message inside its event', () => {
    const evil = '{"text":\n\ndata: {"jsonrpc":"2.0"}\n\n"x"}'
    const events = readAll([writeEvent(evil)])
    expect(events).toEqual([{ data: evil, event: 'message' }])
  })

  it('reads a line of 1 MiB in pieces of two characters about as fast as in one', { timeout: 5_000 }, () => {
    const line = `data: ${'x'.repeat(1_048_576)}`
    const pieces = Array.from({ length: line.length / 2 }, (_, at) => line.slice(2 * at, 2 * at + 2))
    expect(readAll([...pieces, '\n\n'])).toEqual([{ data: line.slice(6) }])
  })

  it('says how much it holds back', () => {
    const reader = new EventReader()
    reader.read('data: 12345')
    expect(reader.held).toBe(11)
    reader.read('\ndata: 67')
    expect(reader.held).toBe(6 + 8)
  })
})
