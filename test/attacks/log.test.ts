/** What others say may be logged, and is never more than part of one line (S61). */
import fc from 'fast-check'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { openLog } from '../../src/telemetry/log.ts'
import { openYard, type Yard } from '../support/base.ts'
import { eventually, STAYS_CLOSED } from '../support/gateway.ts'
import { startUpstream, type Upstream } from '../support/upstream.ts'

/** Ends a line for one reader or another, colours a terminal, hides or turns what follows. */
const ODD = '\r\n\u0085\u2028\u2029\u001b[31m\u009b31m\u0007\u007f\u0000\u200b\u202e\ufeff\u{e0041}'
const FORGED = `${ODD}{"level":"info","event":"forged"}${ODD}`
const PRINTABLE = /^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]*$/u

describe('a record', () => {
  const lines: string[] = []
  beforeAll(() => {
    for (const method of ['log', 'error'] as const)
      vi.spyOn(console, method).mockImplementation((line) => void lines.push(line))
  })
  afterEach(() => lines.splice(0))
  afterAll(() => void vi.restoreAllMocks())

  it('S61 is one line of JSON whatever is in it, and says what was put in', () => {
    const log = openLog('debug')
    const odd = fc.oneof(fc.string({ unit: 'binary' }), fc.constant(FORGED))
    fc.assert(
      fc.property(odd, odd, odd, (one, key, deep) => {
        lines.splice(0)
        const fields = { one, [`x${key}`]: { [key]: [deep] } }
        log('warn', 'said', fields)
        expect(lines).toHaveLength(1)
        expect(lines[0]).toMatch(PRINTABLE)
        expect(JSON.parse(lines[0] ?? '')).toEqual(
          JSON.parse(JSON.stringify({ level: 'warn', event: 'said', ...fields })),
        )
      }),
    )
  })
})

describe('the log of a gateway', () => {
  let yard: Yard
  let upstream: Upstream
  let said = ''
  beforeAll(async () => {
    yard = await openYard({}, { sink: (text) => (said += text) })
    upstream = await startUpstream({ era: 'legacy', stateful: true })
    expect((await yard.gateway.register('odd', upstream.url, STAYS_CLOSED)).status).toBe(201)
  })
  afterAll(async () => {
    await yard.close()
    await upstream.stop()
  })

  it('S61 holds one line for each record, whatever callers and upstreams say', async () => {
    const error = { code: -32000, message: FORGED }
    const body = (idText: string): string =>
      `{"jsonrpc":"2.0","id":${idText},"error":${JSON.stringify(error)}}`
    upstream.dial.set({ is: 'respond', for: 'initialize', body })
    upstream.dial.set({ is: 'respond', for: 'tools/call', status: 404, body: FORGED })
    const headers = { 'x-correlation-id': 'a"b\\n{"event":"forged"}' }
    const params = { name: 'echo', arguments: { text: FORGED } }
    const { body: told } = await yard.gateway.rpc('tools/call', params, { path: '/mcp/odd', headers })
    expect(told.error.code).toBe(-31502)
    await eventually(5_000, () => expect(said).toContain('"call_failed"'))
    const records = said.split('\n').filter((line) => line.includes('"event"'))
    expect(records.length).toBeGreaterThan(0)
    for (const record of records) {
      expect(record).toMatch(PRINTABLE)
      expect(JSON.parse(record.slice(record.indexOf('{'))).event).not.toBe('forged')
    }
    expect(said).not.toMatch(/^\s*\{"level":"info","event":"forged"/m)
  })
})
