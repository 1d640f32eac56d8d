/** What a gateway without its secrets answers: nothing but its health (F71). One log line says what to set. */
import { Hono } from 'hono'
import { refuse } from './protocol/refusal.ts'
import type { Log } from './telemetry/log.ts'

export function unconfigured(faults: readonly string[], log: Log): Hono {
  log('error', 'not_configured', { faults })
  const app = new Hono()
  app.get('/health', (c) =>
    c.json({ status: 'degraded', registryVersion: null, dependencies: {}, services: {} }),
  )
  app.all('*', () => refuse({ why: 'unavailable', retryAfterMs: 60_000 }))
  return app
}
