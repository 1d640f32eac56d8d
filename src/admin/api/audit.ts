/** The audit log: who did what, when, with what outcome. */
import * as z from 'zod'
import type { AuditPlace } from '../../storage/audit.ts'
import { operation } from '../operation.ts'
import { limit, time } from './shape.ts'

const CURSOR = /^(\d{1,18})\.([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/

const moment = z.iso
  .datetime({ offset: true, error: 'must be a time such as 2026-11-21T14:00:00Z' })
  .transform((text) => new Date(text))
const filter = z.string().regex(/^[^\p{Cc}]{1,256}$/u, 'must be 1 to 256 characters')

const row = z
  .object({
    id: z.uuid(),
    time,
    actor: z.string(),
    action: z.string(),
    target: z.string(),
    outcome: z.string(),
    detail: z.looseObject({}),
  })
  .meta({ id: 'AuditRow' })

export const listActs = operation({
  method: 'get',
  path: '/api/v1/audit',
  tag: 'Audit',
  summary: 'List who did what, newest first',
  query: z.strictObject({
    from: moment.optional(),
    to: moment.optional().meta({ description: 'Not itself.' }),
    actor: filter.optional(),
    action: filter
      .optional()
      .meta({ description: 'A whole action, or the beginning of several: `service.`' }),
    outcome: filter.optional().meta({ description: '`done`, or the code of the refusal.' }),
    target: filter.optional(),
    cursor: z
      .string()
      .regex(CURSOR, 'must be one that a list gave as nextCursor')
      .transform(placeOf)
      .optional()
      .meta({ description: 'The `nextCursor` of the page before.' }),
    limit,
  }),
  answer: z.object({ items: z.array(row), nextCursor: z.string().optional() }),
})

function placeOf(cursor: string): AuditPlace {
  const [, micros = '', id = ''] = CURSOR.exec(cursor) ?? []
  return { micros, id }
}
