/** Composition root: the only file that joins ports to adapters. One gateway per environment, made on first use. */
import type { Hono } from 'hono'
import { forbidden, respondWithProblem } from './admin/problem.ts'
import { Registrar } from './admin/registrar.ts'
import { Upkeep } from './admin/upkeep.ts'
import { createApp } from './app.ts'
import { dispatch } from './dispatch.ts'
import { challenge } from './identity/challenge.ts'
import { Identity } from './identity/identify.ts'
import { DEFAULT_ORGANISATION } from './identity/principal.ts'
import { systemClock } from './platform/clock.ts'
import { remember, rememberFor } from './platform/remember.ts'
import { type Environment, readSettings, type Settings } from './platform/settings.ts'
import type { ServiceRecord } from './registry/image.ts'
import { Registry } from './registry/registry.ts'
import { CredentialStore } from './storage/credential.ts'
import { openDatabase } from './storage/database.ts'
import { Publication } from './storage/publication.ts'
import { QuickStore } from './storage/quick.ts'
import { Sealer } from './storage/seal.ts'
import { ServiceStore } from './storage/services.ts'
import { StoredRegistry } from './storage/source.ts'
import { openLog } from './telemetry/log.ts'
import { checkAddress } from './upstream/address.ts'
import { discover } from './upstream/discovery.ts'
import { UpstreamSessions } from './upstream/session.ts'
import { unconfigured } from './unconfigured.ts'

type Gateway = { readonly app: Pick<Hono, 'fetch'>; readonly upkeep?: Upkeep }

function compose(settings: Settings): Gateway {
  const clock = systemClock
  const log = openLog(settings.logLevel)
  const identity = new Identity(settings)
  const database = openDatabase(settings.databaseUrl.reveal())
  const quick = new QuickStore(settings.redisUrl, settings.redisToken.reveal(), clock)
  const publication = new Publication(
    quick,
    new Sealer(settings.encryptionKey, 'image'),
    DEFAULT_ORGANISATION,
  )
  const source = new StoredRegistry(database, publication, DEFAULT_ORGANISATION)
  const registry = new Registry(source, clock)
  const credentials = new CredentialStore(
    new Sealer(settings.encryptionKey, 'credential'),
    DEFAULT_ORGANISATION,
  )
  const policy = { allowPrivate: settings.allowPrivateUpstreams, ownHosts: [] }
  const registrar = new Registrar({
    registry,
    store: new ServiceStore(database, DEFAULT_ORGANISATION),
    credentials,
    discover,
    policy,
    clock,
  })
  const upkeep = new Upkeep({ registry, registrar, configured: settings.configured, clock, log })
  const dispatchPorts = {
    mayCall: rememberFor((service: ServiceRecord) => checkAddress(service.url, policy).ok),
    sessions: new UpstreamSessions(),
    openCredential: credentials.open.bind(credentials),
    recover: registrar.recover.bind(registrar),
    defaultTimeoutMs: settings.defaultTimeoutMs,
    log,
  }
  const { allowedOrigins } = settings
  const app = createApp({
    mcp: { identity, registry, allowedOrigins, callTool: (call) => dispatch(call, dispatchPorts) },
    admin: {
      registrar,
      allowedOrigins,
      admit: async (headers) => {
        const caller = await identity.authenticate(headers)
        if (!caller.ok) return challenge(caller.error)
        return caller.value.mayManage ? caller.value : respondWithProblem(forbidden)
      },
    },
    health: {
      registry,
      isDatabaseReachable: remember(
        async () => (await source.committedVersion()) !== undefined,
        1_000,
        clock,
      ),
      isQuickStoreReachable: remember(() => quick.isReachable(), 1_000, clock),
    },
    upkeep,
    log,
  })
  return { app, upkeep }
}

function gatewayOf(env: Environment): Gateway {
  const settings = readSettings(env)
  return settings.ok ? compose(settings.value) : { app: unconfigured(settings.error, openLog('info')) }
}

const gateways = new WeakMap<Environment, Gateway>()

function gatewayFor(env: Environment): Gateway {
  const gateway = gateways.get(env) ?? gatewayOf(env)
  gateways.set(env, gateway)
  return gateway
}

export default {
  fetch: (request, env, context) => gatewayFor(env).app.fetch(request, env, context),
  scheduled: async (_event, env, context) => {
    await gatewayFor(env).upkeep?.run((work) => context.waitUntil(work))
  },
} satisfies ExportedHandler<Environment>
