import { describe, expect, it } from 'vitest'
import type { Note } from '../../../src/guard/ledger.ts'
import { Trail } from '../../../src/mcp/trail.ts'

const NOW = 1_700_000_000_000
const background = (work: Promise<unknown>): void => void work

/** A trail whose records are told when the test says so. */
function open() {
  const notes: Note[] = []
  const clock = { now: NOW }
  const guard = { record: (_: unknown, note: Note) => void notes.push(note) }
  const trail = new Trail({ guard, clock: () => clock.now, log: () => undefined })
  return {
    clock,
    notes,
    from: (address: string, cf: unknown = { colo: 'XYZ' }) => {
      const request = new Request('https://gateway.example/mcp', { headers: { 'cf-connecting-ip': address } })
      trail.turnAway('invalid', Object.assign(request, { cf }), background)
    },
    tell: async (): Promise<any[]> =>
      await Promise.all(notes.splice(0).map(async (note) => JSON.parse(await note.write()))),
  }
}

describe('callers whom nobody knows', () => {
  it('are one record for each source and minute, with a count', async () => {
    const { clock, from, tell } = open()
    for (let at = 0; at < 5; at++) from('192.0.2.1')
    from('192.0.2.2')
    const first = await tell()
    expect(first.map(({ detail }) => [detail.source, detail.count])).toEqual([
      ['192.0.2.1', 5],
      ['192.0.2.2', 1],
    ])
    from('192.0.2.1')
    const again = await tell()
    expect(again).toMatchObject([{ id: first[0].id, detail: { count: 6 } }])
    clock.now += 60_000
    from('192.0.2.1')
    const [next] = await tell()
    expect(next.detail.count).toBe(1)
    expect(next.id).not.toBe(first[0].id)
  })

  it('from many sources take no more room than from a few', async () => {
    const { from, notes, tell } = open()
    for (let at = 0; at < 10_000; at++) from(`2001:db8::${at.toString(16)}`)
    expect(notes.length).toBeLessThanOrEqual(40)
    const told = await tell()
    expect(told.reduce((sum, { detail }) => sum + detail.count, 0)).toBe(10_000)
  })

  it('S19 are not asked where they come from: only the edge says that', async () => {
    const { from, tell } = open()
    for (const cf of [null, {}, { colo: 5 }]) from('192.0.2.1', cf)
    const told = await tell()
    expect(told).toHaveLength(1)
    expect(told[0].detail).not.toHaveProperty('source')
  })

  it('S61 cannot break the line that tells of them', async () => {
    const { notes, tell } = open()
    const trail = new Trail({
      guard: { record: (_, note) => void notes.push(note) },
      clock: () => NOW,
      log: () => undefined,
    })
    const refusal = {
      organisationId: 'default',
      actor: 'a\n{"b":1}',
      target: 'x\u001b[31m\ud800',
      outcome: 'no',
    }
    trail.refuse({ ...refusal, detail: {} }, background)
    const [note] = notes
    expect(await note?.write()).not.toMatch(/[\p{Cc}\p{Cs}]/u)
    expect(await tell()).toHaveLength(1)
  })
})
