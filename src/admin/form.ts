/** What the management API accepts of organisations, users and keys. */
import * as z from 'zod'
import type { Role } from '../identity/principal.ts'
import { PASSWORD } from '../identity/password.ts'
import { readScope, SCOPES } from '../identity/scope.ts'
import { DEFAULT_ORGANISATION } from '../identity/principal.ts'
import { slug } from './body.ts'

const ROLES = ['admin', 'user'] as const satisfies readonly Role[]

const printable = (maxChars: number) =>
  z
    .string()
    .regex(/^[^\p{Cc}\p{Cf}]+$/u, 'must be printable text')
    .max(maxChars)

const name = printable(100)
const username = z.string().regex(/^[A-Za-z0-9._@+-]{1,128}$/, 'must match ^[A-Za-z0-9._@+-]{1,128}$')
const password = z.string().min(PASSWORD.minChars).max(PASSWORD.maxChars)
const role = z.enum(ROLES)
const agentType = z.string().regex(/^[A-Za-z0-9._-]{1,64}$/, 'must match ^[A-Za-z0-9._-]{1,64}$')

/** With or without its prefix. */
const scope = z.string().transform((text, context) => {
  const known = readScope(text)
  if (known) return known
  context.addIssue({ code: 'custom', message: `must be one of ${SCOPES.join(', ')}` })
  return z.NEVER
})
const scopes = z.array(scope).min(1).max(SCOPES.length)

const instant = z.iso.datetime({ offset: true, error: 'must be a time as in 2030-01-31T12:00:00Z' })

export const newUser = z.strictObject({
  username,
  password,
  role: role.default('user'),
  agentType: agentType.optional(),
})
/** An `agentType` of null takes it away. */
export const userChange = z.strictObject({
  password: password.optional(),
  role: role.optional(),
  agentType: agentType.nullable().optional(),
})
export const newKey = z.strictObject({
  name,
  role: role.default('user'),
  agentType: agentType.optional(),
  scopes: scopes.optional(),
  expiresAt: instant.optional(),
})
export const newOrganisation = z.strictObject({ id: slug, name })
export const organisationChange = z.strictObject({
  name: name.optional(),
  isSuspended: z.boolean().optional(),
})
export const login = z.strictObject({
  username: z.string().max(128),
  password: z.string().max(PASSWORD.maxChars),
  organisation: z.string().max(32).default(DEFAULT_ORGANISATION),
})

export type NewKeyForm = z.infer<typeof newKey>
