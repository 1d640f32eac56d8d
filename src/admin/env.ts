/** What every handler of the management API knows of its request. */
import type { Context } from 'hono'
import type { Principal } from '../identity/principal.ts'
import type { Background } from '../platform/background.ts'

export type AdminEnv = { Variables: { principal: Principal; background: Background } }

export type Handler = (c: Context<AdminEnv>) => Promise<Response>
