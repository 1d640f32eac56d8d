/** Who is behind a request, as the record of a write has it. */
import type { Context } from 'hono'
import { correlationIdOf } from '../protocol/context.ts'
import type { Actor } from '../storage/commit.ts'
import type { AdminEnv } from './env.ts'

export const actorOf = (c: Context<AdminEnv>): Actor => ({
  subject: c.get('principal').subject,
  correlationId: correlationIdOf(c.req.raw),
})
