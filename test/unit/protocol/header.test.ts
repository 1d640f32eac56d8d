/** Values of headers that repeat the body (2026-07-28, "Standard headers"). */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeHeader, encodeHeader } from '../../../src/protocol/header.ts'

describe('the header codec', () => {
  it('gives back any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        expect(decodeHeader(encodeHeader(text))).toEqual({ ok: true, value: text })
      }),
    )
  })

  it.each(['SGVsbG8', 'SGVs!!!bG8=', 'SGVsbG8= ', 'SGVs bG8=', 'SGVsbG9='])(
    'refuses the base64 %j',
    (inner) => {
      expect(decodeHeader(`=?base64?${inner}?=`).ok).toBe(false)
    },
  )

  it.each(['SGVsbG8=', '=?base64?SGVsbG8=', 'SGVsbG8=?='])('takes %j as it is', (value) => {
    expect(decodeHeader(value)).toEqual({ ok: true, value })
  })
})
