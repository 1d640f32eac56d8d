/** API keys as they are made and shown. */
import * as z from 'zod'
import { agentType, role, scopes, scopesShown, title } from './person.ts'
import { time } from './shape.ts'

/** Without what it opens. */
export const keyRow = z
  .object({
    id: z.uuid(),
    name: z.string(),
    prefix: z.string().meta({ description: 'What the key begins with.' }),
    role,
    agentType: z.string().optional(),
    scopes: scopesShown.optional().meta({ description: 'What it is limited to; absent: by its role alone.' }),
    userId: z.uuid().optional().meta({ description: 'Whose it is; absent: it stands for itself.' }),
    createdAt: time,
    expiresAt: time.optional(),
    lastUsedAt: time.optional(),
  })
  .meta({ id: 'Key' })

/** The one answer that holds the key itself. */
export const madeKey = keyRow
  .extend({ key: z.string().meta({ description: 'The key itself, shown this once.' }) })
  .meta({ id: 'MadeKey' })

export const newKey = z.strictObject({
  name: title,
  role: role.default('user'),
  agentType: agentType.optional(),
  scopes: scopes.optional(),
  expiresAt: z.iso
    .datetime({ offset: true, error: 'must be a time as in 2030-01-31T12:00:00Z' })
    .optional()
    .meta({ description: 'Absent: never.' }),
})

export type NewKeyForm = z.infer<typeof newKey>
