/** How a user comes in. */
import * as z from 'zod'
import { PASSWORD } from '../../identity/password.ts'
import { DEFAULT_ORGANISATION } from '../../identity/principal.ts'
import { operation } from '../operation.ts'
import { text, time } from './shape.ts'

export const logIn = operation({
  method: 'post',
  path: '/api/v1/auth/login',
  tag: 'Users',
  summary: 'Log in',
  description: 'Gives a token to be used as `Authorization: Bearer`.',
  body: z.strictObject({
    username: text(128, 0),
    password: z.string().max(PASSWORD.maxChars).meta({ format: 'password' }),
    organisation: text(32, 0).default(DEFAULT_ORGANISATION),
  }),
  answer: z.object({ token: z.string(), expiresAt: time }),
  isPublic: true,
})
