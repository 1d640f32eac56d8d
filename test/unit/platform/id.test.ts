import { expect, it } from 'vitest'
import { idAt } from '../../../src/platform/id.ts'

it('an id is a UUID of version 7, and sorts by its time', () => {
  const times = [0, 1, 65_535, 65_536, 1_764_000_000_000, 281_474_976_710_655]
  const ids = times.map(idAt)
  for (const id of ids)
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  expect(ids.toSorted()).toEqual(ids)
  expect(ids.map((id) => Number.parseInt(id.replace('-', '').slice(0, 12), 16))).toEqual(times)
  expect(idAt(1)).not.toBe(idAt(1))
})
