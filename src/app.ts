/**
 * The front of the gateway. Nearly every request is one to `/mcp`, and goes straight on its way; whatever else is asked
 * for goes by the routes, which are loaded for the first one, since what manages the gateway is larger than what carries
 * its traffic. What is thrown is a bug and ends here, told by a reference only.
 */
import type { Hono } from 'hono'
import { getPath } from 'hono/utils/url'
import type { ProtectedResource } from './identity/resource.ts'
import { CORRELATION_HEADER, correlationIdOf } from './protocol/context.ts'
import { isAllowedHost } from './protocol/door.ts'
import { refuse } from './protocol/refusal.ts'
import type { RoutePorts } from './routes.ts'
import type { Log } from './telemetry/log.ts'
import { openTraffic, type TrafficPorts } from './traffic.ts'

export type AppPorts = Omit<RoutePorts, 'resource' | 'traffic' | 'isHostAllowed'> &
  TrafficPorts & {
    readonly resource: ProtectedResource
    /** By which callers may name the gateway; none: by any. */
    readonly allowedHosts: readonly string[]
    readonly log: Log
  }

export type App = {
  fetch(request: Request, env: unknown, context: ExecutionContext): Promise<Response>
}

export function createApp(ports: AppPorts): App {
  const { resource, allowedHosts, log } = ports
  const traffic = openTraffic(ports)
  /** A page that made its own name lead here is told apart by that name (S32). */
  const isHostAllowed =
    allowedHosts.length > 0
      ? (host: string | null): boolean => isAllowedHost(host ?? '', allowedHosts)
      : undefined
  let routes: Hono | undefined
  const openRoutes = async (): Promise<Hono> => {
    const { createRoutes } = await import('./routes.ts')
    // Another request may have been quicker.
    return (routes ??= createRoutes({ ...ports, traffic, isHostAllowed }))
  }
  const isTraffic = (request: Request): boolean =>
    getPath(request) === '/mcp' && (!isHostAllowed || isHostAllowed(request.headers.get('host')))
  const answer: App['fetch'] = async (request, env, context) => {
    try {
      const response = isTraffic(request)
        ? await traffic(request, undefined, (work) => context.waitUntil(work))
        : await (routes ?? (await openRoutes())).fetch(request, env as object, context)
      return resource.announce(request, response)
    } catch (thrown) {
      return tellBug(thrown, request, log)
    }
  }
  return {
    async fetch(request, env, context) {
      const response = await answer(request, env, context)
      response.headers.set(CORRELATION_HEADER, correlationIdOf(request))
      return response
    },
  }
}

function tellBug(thrown: unknown, request: Request, log: Log): Response {
  const ref = crypto.randomUUID()
  const fields =
    thrown instanceof Error
      ? { error: thrown.message, stack: thrown.stack }
      : { error: typeof thrown === 'string' ? thrown : `an ${typeof thrown}, no error` }
  log('error', 'bug', { ref, correlationId: correlationIdOf(request), ...fields })
  return refuse({ why: 'bug', ref })
}
