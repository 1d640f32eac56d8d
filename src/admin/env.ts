/** What every handler of the management API knows of its request. */
import type { Context } from 'hono'
import type { Principal } from '../identity/principal.ts'
import type { Background } from '../platform/background.ts'

export type AdminEnv = {
  Variables: {
    principal: Principal
    background: Background
    /** Whatever comes of it is written down already. */
    isRecorded: boolean
  }
}

export type Handler = (c: Context<AdminEnv>) => Promise<Response>
