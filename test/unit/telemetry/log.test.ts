import fc from 'fast-check'
import { afterEach, expect, it, vi } from 'vitest'
import { openLog } from '../../../src/telemetry/log.ts'

afterEach(() => {
  vi.restoreAllMocks()
})

it('S61 whatever is logged is one line of JSON, in which nothing moves a terminal', () => {
  const lines: string[] = []
  vi.spyOn(console, 'log').mockImplementation((line: string) => void lines.push(line))
  const log = openLog('info')
  const hostile = fc.string({
    unit: fc.constantFrom(
      '\n',
      '\r',
      '\u001b[31m',
      '\u009b',
      '\u0085',
      '\u007f',
      '\u2028',
      '\u2029',
      '"',
      '\\',
      'x',
    ),
  })
  fc.assert(
    fc.property(hostile, (text) => {
      lines.length = 0
      log('info', 'call_failed', { text })
      expect(lines).toHaveLength(1)
      expect(lines[0]).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}]/u)
      expect(JSON.parse(lines[0] ?? '')).toEqual({ level: 'info', event: 'call_failed', text })
    }),
  )
})
