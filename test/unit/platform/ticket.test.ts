/** Tickets open for whom they were sealed, as they were sealed, and for nothing else. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Tickets } from '../../../src/platform/ticket.ts'

const secret = new Uint8Array(32).fill(7)
const asText = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined)
const tickets = new Tickets(secret, 'request', asText)
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

describe('a ticket', () => {
  it('opens in its context only', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string(), fc.string(), fc.string(), async (value, context, other) => {
        const ticket = await tickets.seal(value, context)
        expect(await tickets.open(ticket, context)).toBe(value)
        expect(await tickets.open(ticket, `${context}${other}x`)).toBeUndefined()
      }),
      { numRuns: 50 },
    )
  })

  it('is the same for the same value, so that tickets can be compared', async () => {
    expect(await tickets.seal('value', 'here')).toBe(await tickets.seal('value', 'here'))
    expect(await tickets.seal('value', 'here')).not.toBe(await tickets.seal('value', 'there'))
  })

  it('is of visible characters that need no escaping anywhere', async () => {
    for (let length = 0; length < 8; length++) {
      expect(await tickets.seal('x'.repeat(length), 'here')).toMatch(/^[A-Za-z0-9_-]+$/)
    }
  })

  it('of another purpose or secret does not open', async () => {
    const ticket = await tickets.seal('value', 'here')
    expect(await new Tickets(secret, 'session', asText).open(ticket, 'here')).toBeUndefined()
    const others = new Tickets(new Uint8Array(32).fill(8), 'request', asText)
    expect(await others.open(ticket, 'here')).toBeUndefined()
  })

  it('of a secret that was replaced opens, and none is sealed with it any more', async () => {
    const other = new Uint8Array(32).fill(8)
    const between = new Tickets([other, secret], 'request', asText)
    expect(await between.open(await tickets.seal('value', 'here'), 'here')).toBe('value')
    const ticket = await between.seal('value', 'here')
    expect(await new Tickets(other, 'request', asText).open(ticket, 'here')).toBe('value')
    expect(await tickets.open(ticket, 'here')).toBeUndefined()
  })

  it('with any one character changed does not open, the last one included', async () => {
    for (const value of ['v', 'va', 'val']) {
      const ticket = await tickets.seal(value, 'here')
      for (let at = 0; at < ticket.length; at++) {
        const next = ALPHABET[(ALPHABET.indexOf(ticket[at] ?? '') + 1) % ALPHABET.length]
        const changed = ticket.slice(0, at) + next + ticket.slice(at + 1)
        expect(await tickets.open(changed, 'here')).toBeUndefined()
      }
    }
  })

  it('written in another way does not open', async () => {
    const ticket = await tickets.seal('value', 'here')
    const written = [
      `${ticket} `,
      ` ${ticket}`,
      `${ticket}=`,
      `${ticket}\n`,
      `${ticket.slice(0, 9)}\t${ticket.slice(9)}`,
    ]
    for (const text of [...written, '', 'A', 'not base64!', ticket.repeat(2)]) {
      expect(await tickets.open(text, 'here')).toBeUndefined()
    }
  })
})
