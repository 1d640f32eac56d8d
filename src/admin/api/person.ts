/** What users and keys have in common, and what they are told by. */
import * as z from 'zod'
import { PASSWORD } from '../../identity/password.ts'
import type { Role } from '../../identity/principal.ts'
import { readScope, SCOPES } from '../../identity/scope.ts'
import { text } from './shape.ts'

const ROLES = ['admin', 'user'] as const satisfies readonly Role[]

/** How people call something. */
export const title = text(100).regex(/^[^\p{Cc}\p{Cf}]*$/u, 'must be printable text')

export const username = z.string().regex(/^[A-Za-z0-9._@+-]{1,128}$/, 'must match ^[A-Za-z0-9._@+-]{1,128}$')

export const password = z.string().min(PASSWORD.minChars).max(PASSWORD.maxChars).meta({ format: 'password' })

export const role = z.enum(ROLES)

/** Of an agent or a person. */
export const agentType = z
  .string()
  .regex(/^[A-Za-z0-9._-]{1,64}$/, 'must match ^[A-Za-z0-9._-]{1,64}$')
  .meta({ description: 'What kind of agent comes with it; permissions name it.' })

/** With or without its prefix. */
const scope = z
  .string()
  .transform((given, context) => {
    const known = readScope(given)
    if (known) return known
    context.addIssue({ code: 'custom', message: `must be one of ${SCOPES.join(', ')}` })
    return z.NEVER
  })
  .meta({ description: `${SCOPES.join(', ')}; the prefix may be left out.` })

export const scopes = z.array(scope).min(1).max(SCOPES.length)

export const scopesShown = z.array(z.enum(SCOPES))
