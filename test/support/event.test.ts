/** Event streams are read whole, however they are written. */
import { describe, expect, it } from 'vitest'
import { readEvents } from './event.ts'
import { Gateway } from './gateway.ts'
import { startUpstream } from './upstream.ts'

describe('events', () => {
  it.each(['\n', '\r\n', '\r'])('are read whole with lines that end in %j', (lineEnd) => {
    const lines = [
      ': comment',
      '',
      'event: message',
      'data: {',
      'id: 1',
      'data:"a":1}',
      '',
      'data',
      'data: b',
    ]
    expect(readEvents([...lines, '', ''].join(lineEnd))).toEqual(['{\n"a":1}', '\nb'])
  })

  it.each([
    '',
    '{"data":1}',
    '<html>\n\n',
    'data: broken',
    'data: broken\n',
    ': comment\n\n',
    'database: x\n\n',
  ])('are none in %j', (text) => expect(readEvents(text)).toEqual([]))

  it('are read whole by the gateway of the tests', async () => {
    const framing = { splitData: true, comments: true, lineEnd: '\r\n' } as const
    const upstream = await startUpstream({ era: 'legacy', answers: 'sse', framing })
    const gateway = new Gateway(upstream.url.replace('/mcp', ''))
    const { body } = await gateway.rpc('tools/call', { name: 'echo', arguments: { text: 'a' } })
    expect(body).toMatchObject({ id: 1, result: { content: [{ text: 'a' }] } })
    await upstream.stop()
  })
})
