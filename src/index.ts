/** What the platform calls. One gateway per environment, made on first use. */
import type { Registration } from './admin/api/service.ts'
import type { Files } from './admin/pages.ts'
import type { App } from './app.ts'
import { ClientSessionObject } from './durable/client-session.ts'
import type { Namespaces } from './durable/objects.ts'
import { ParkedCallObject } from './durable/parked-call.ts'
import { ServiceGuardObject } from './durable/service-guard.ts'
import { SessionRegisterObject } from './durable/session-register.ts'
import type { ConfiguredService } from './platform/configured.ts'
import { err, ok, type Result } from './platform/result.ts'
import { type Environment, readSettings } from './platform/settings.ts'
import { openLog } from './telemetry/log.ts'
import { unconfigured } from './unconfigured.ts'
import { compose, type Gateway } from './compose.ts'

/** One gateway per environment; what keeps it from running is told by every route. */
type Opened =
  | { readonly gateway: Gateway; readonly named: readonly ConfiguredService[] }
  | { readonly app: App }

const opened = new WeakMap<Environment, Opened>()
/** What answers requests, once the services of the environment were read. */
const apps = new WeakMap<Environment, App>()
const registrations = new WeakMap<Environment, readonly Registration[]>()

function openedFor(env: Environment): Opened {
  const known = opened.get(env) ?? open(env)
  opened.set(env, known)
  return known
}

function open(env: Environment): Opened {
  const [settings, namespaces] = [readSettings(env), readNamespaces(env)]
  if (settings.ok && namespaces.ok) {
    const configured = (): readonly Registration[] => registrations.get(env) ?? []
    const gateway = compose(settings.value, configured, namespaces.value, readFiles(env))
    return { gateway, named: settings.value.configured }
  }
  const faults = [settings, namespaces].flatMap((read) => (read.ok ? [] : read.error))
  return { app: unconfigured(faults, openLog('info')) }
}

/** Services of the environment are read by what manages services, which is loaded for that alone. */
async function openApp(env: Environment): Promise<App> {
  const found = openedFor(env)
  const isNamed = 'gateway' in found && found.named.length > 0
  const read = isNamed ? (await import('./admin/configured.ts')).checkConfigured(found.named) : ok([])
  // Another request may have been quicker.
  const known = apps.get(env)
  if (known) return known
  if (read.ok) registrations.set(env, read.value)
  else opened.set(env, { app: unconfigured(read.error, openLog('info')) })
  const app = appOf(openedFor(env))
  apps.set(env, app)
  return app
}

const appOf = (found: Opened): App => ('gateway' in found ? found.gateway.app : found.app)

/** For Durable Objects, which are only ever reached through a gateway that runs. */
function gatewayFor(env: Environment): Gateway {
  const found = openedFor(env)
  if ('gateway' in found) return found.gateway
  throw new Error('The gateway is not configured.')
}

const NAMESPACES = [
  'CLIENT_SESSION',
  'SESSION_REGISTER',
  'PARKED_CALL',
  'SERVICE_GUARD',
] as const satisfies (keyof Namespaces)[]

/** The one place where bindings become namespaces: wrangler.toml declares them. */
function readNamespaces(env: Environment): Result<Namespaces, readonly string[]> {
  const missing = NAMESPACES.filter((name) => env[name] === undefined)
  if (missing.length === 0) return ok(env as unknown as Namespaces)
  return err(missing.map((name) => `Binding ${name} is missing: wrangler.toml declares it.`))
}

/** A gateway whose configuration declares none does without: only its pages are missing. */
const readFiles = (env: Environment): Files | undefined => env['ASSETS'] as Files | undefined

export class ClientSession extends ClientSessionObject {
  constructor(ctx: DurableObjectState, env: Environment) {
    const { mcp } = gatewayFor(env)
    super(ctx, env, { ...mcp.listen, dispatch: mcp.dispatch })
  }
}

export class SessionRegister extends SessionRegisterObject {}

export class ParkedCall extends ParkedCallObject {
  constructor(ctx: DurableObjectState, env: Environment) {
    const { mcp } = gatewayFor(env)
    super(ctx, env, {
      dispatch: mcp.dispatch,
      snapshot: (organisationId, background) => mcp.registryOf(organisationId).current(background),
    })
  }
}

export class ServiceGuard extends ServiceGuardObject {
  constructor(ctx: DurableObjectState, env: Environment) {
    super(ctx, env, gatewayFor(env).guard)
  }
}

export default {
  fetch: (request, env, context) => {
    const app = apps.get(env)
    return app
      ? app.fetch(request, env, context)
      : openApp(env).then((first) => first.fetch(request, env, context))
  },
  scheduled: async (_event, env, context) => {
    await openApp(env)
    const found = openedFor(env)
    if ('gateway' in found) await found.gateway.upkeep.run((work) => context.waitUntil(work))
  },
} satisfies ExportedHandler<Environment>
