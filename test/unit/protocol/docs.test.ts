import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { describeErrors } from '../../../local/docs.ts'

it('docs/errors.md says what the code does (npm run docs)', () => {
  expect(readFileSync(join(import.meta.dirname, '../../../docs/errors.md'), 'utf8')).toBe(describeErrors())
})
