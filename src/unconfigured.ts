/** What a gateway without its secrets answers: nothing but its health (F71). One log line says what to set. */
import type { App } from './app.ts'
import { refuse } from './protocol/refusal.ts'
import type { Log } from './telemetry/log.ts'

export function unconfigured(faults: readonly string[], log: Log): App {
  log('error', 'not_configured', { faults })
  return {
    fetch: async ({ method, url }) =>
      method === 'GET' && new URL(url).pathname === '/health'
        ? Response.json({ status: 'degraded', registryVersion: null, dependencies: {}, services: {} })
        : refuse({ why: 'unavailable', retryAfterMs: 60_000 }),
  }
}
