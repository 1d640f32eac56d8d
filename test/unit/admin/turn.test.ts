import { expect, it } from 'vitest'
import { turnOf } from '../../../src/admin/upkeep.ts'

it('every organisation has its turn of the scheduled upkeep, minute after minute', () => {
  const turns = Array.from({ length: 6 }, (_, minute) => turnOf(['default', 'acme', 'beta'], minute * 60_000))
  expect(turns).toEqual(['default', 'acme', 'beta', 'default', 'acme', 'beta'])
  expect(turnOf([], 0)).toBeUndefined()
})
