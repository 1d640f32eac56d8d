/** Composition root: the only file that joins ports to adapters. One gateway per environment, made on first use. */
import type { Hono } from 'hono'
import { Accounts } from './admin/accounts.ts'
import type { Registrar } from './admin/registrar.ts'
import type { Upkeep } from './admin/upkeep.ts'
import { createApp } from './app.ts'
import { ClientSessionObject } from './durable/client-session.ts'
import { type Namespaces, ServiceGuards, SessionObjects } from './durable/objects.ts'
import type { CredentialVault } from './durable/credential-refresh.ts'
import { ParkedCallObject } from './durable/parked-call.ts'
import { ParkedObjects } from './durable/parked-objects.ts'
import { openReach } from './durable/reach.ts'
import { type GuardPorts, ServiceGuardObject } from './durable/service-guard.ts'
import type { McpPorts } from './flow.ts'
import { Guard } from './guard/guard.ts'
import { readAudience } from './identity/audience.ts'
import { challenge } from './identity/challenge.ts'
import type { MayCall } from './identity/document.ts'
import { Directory, DIRECTORY_USELESS_AFTER_MS, type DirectoryImage } from './identity/directory.ts'
import { Guesses } from './identity/guess.ts'
import { Identity } from './identity/identify.ts'
import { verifyIssued } from './identity/issuer.ts'
import { IssuerKeys } from './identity/jwks.ts'
import { verifyApiKey } from './identity/key.ts'
import { verifyLogin } from './identity/login.ts'
import { DEFAULT_ORGANISATION } from './identity/principal.ts'
import type { Verifier } from './identity/proof.ts'
import { ProtectedResource } from './identity/resource.ts'
import { Sessions } from './identity/session.ts'
import { Credentials } from './mcp/credential.ts'
import { guardedBy as guardedUnder } from './mcp/permit.ts'
import type { DispatchPorts } from './mcp/prepare.ts'
import { InFlight } from './mcp/inflight.ts'
import { Listens } from './mcp/listens.ts'
import { openTickets } from './mcp/tickets.ts'
import { Trail } from './mcp/trail.ts'
import { ByteBudget } from './platform/budget.ts'
import type { Background } from './platform/background.ts'
import { Replica } from './platform/replica.ts'
import { type Clock, systemClock } from './platform/clock.ts'
import { remember, rememberFor } from './platform/remember.ts'
import { err, ok, type Result } from './platform/result.ts'
import { type Environment, readSettings, type Settings } from './platform/settings.ts'
import { LIMITS } from './protocol/limits.ts'
import type { ServiceRecord } from './registry/image.ts'
import { instancesOf } from './registry/instance.ts'
import type { Registry } from './registry/registry.ts'
import { Realms } from './realm.ts'
import { type Database, databasePolicy, openDatabase } from './storage/database.ts'
import { Patience } from './storage/patience.ts'
import { directoryLoader } from './storage/directory.ts'
import { LoginStore } from './storage/login.ts'
import { PeopleStore } from './storage/people.ts'
import { DIRECTORY_PLACE, Publication } from './storage/publication.ts'
import { QuickStore } from './storage/quick.ts'
import { Sealer } from './platform/seal.ts'
import { StoredSource } from './storage/source.ts'
import { AuditStore } from './storage/audit.ts'
import { RecordStore } from './storage/record.ts'
import { KeyUses } from './storage/use.ts'
import { type Log, openLog } from './telemetry/log.ts'
import { checkAddress } from './upstream/address.ts'
import { discover } from './upstream/discovery.ts'
import type { Grant } from './upstream/grant.ts'
import { hostOf, Hosts } from './upstream/hosts.ts'
import { refreshGrant } from './upstream/refresh.ts'
import { openResolver } from './upstream/resolver.ts'
import { UpstreamSessions } from './upstream/session.ts'
import { unconfigured } from './unconfigured.ts'

type Gateway = {
  readonly app: Pick<Hono, 'fetch'>
  readonly upkeep: Pick<Upkeep, 'tick' | 'run'>
  readonly mcp: McpPorts
  readonly guard: GuardPorts
}

function compose(settings: Settings, namespaces: Namespaces): Gateway {
  const clock = systemClock
  const log = openLog(settings.logLevel)
  const reads = openDatabase(settings.databaseUrl.reveal(), databasePolicy.readBudgetMs)
  const writes = openDatabase(settings.databaseUrl.reveal(), databasePolicy.writeBudgetMs)
  const patience = new Patience({ clock, random: Math.random, log })
  const quick = new QuickStore(settings.redisUrl, settings.redisToken.reveal(), clock)
  const sealers = {
    image: new Sealer(settings.encryptionKey, 'image'),
    credential: new Sealer(settings.encryptionKey, 'credential'),
  }
  const directory = openDirectory({ reads, patience, quick, sealer: sealers.image, clock })
  const uses = new KeyUses(writes, patience, clock)
  const records = new RecordStore(writes, patience)
  const audit = new AuditStore({ reads, writes, patience, clock })
  const { allowPrivateUpstreams: allowPrivate, publicUrl, dohUrl } = settings
  const policy = { allowPrivate, ownHosts: publicUrl ? [publicUrl.hostname] : [] }
  const hosts = new Hosts(dohUrl && !allowPrivate ? openResolver(dohUrl) : undefined, clock)
  const isAllowed = (url: string): boolean => checkAddress(url, policy).ok
  /** What decides who comes in is fetched from no name that was not looked up just now. */
  const mayFetch = async (url: string): Promise<boolean> =>
    isAllowed(url) && (await hosts.examine(url)) !== 'private'
  const identity = new Identity({
    secrets: settings,
    auth: settings.auth,
    verifiers: [
      verifyApiKey,
      verifyLogin(settings.jwtSecret, clock),
      ...issuerVerifiers(settings, mayFetch, clock, log),
    ],
    directory,
    noteUse: uses.note.bind(uses),
    clock,
  })
  const budget = new ByteBudget(LIMITS.memoryBytes)
  const reach = openReach(log)
  const guards = new ServiceGuards(namespaces.SERVICE_GUARD, reach, clock)
  const realms = new Realms({
    reads,
    writes,
    patience,
    quick,
    sealers,
    discover: (destination) => discover({ ...destination, budget }),
    forgive: (service) => guards.forgive(service),
    credential: (service, background) => credentials.get(service, background),
    renewCredential: (service, refused, background) => credentials.renew(service, refused, background),
    policy,
    hosts,
    configured: (organisationId) => (organisationId === DEFAULT_ORGANISATION ? settings.configured : []),
    clock,
    log,
  })
  const vaultOf = (organisationId: string): CredentialVault => realms.of(organisationId).vault
  const credentials: Credentials = new Credentials({
    open: (sealed) => vaultOf(sealed.organisationId).open(sealed),
    ask: (question) => guards.refreshCredential(question),
    clock,
  })
  const registryOf = (organisationId: string): Registry => realms.of(organisationId).registry
  const registrarOf = (organisationId: string): Registrar => realms.of(organisationId).registrar
  const home = realms.of(DEFAULT_ORGANISATION)
  const { allowedOrigins, allowedHosts } = settings
  const mayCall = (url: string): boolean => isAllowed(url) && hosts.mayCall(url)
  const guardedBy = rememberFor(
    (service: ServiceRecord) => guardedUnder(service, mayCall, settings),
    () => hosts.generation,
  )
  const hostsOf = rememberFor((service: ServiceRecord) => {
    const named = instancesOf(service).flatMap(({ url }) => (isAllowed(url) ? [hostOf(url)] : []))
    return [...new Set(named)]
  })
  const callGuard = new Guard({
    ask: guards.ask.bind(guards),
    clock,
    random: Math.random,
    isolate: crypto.randomUUID(),
  })
  const trail = new Trail({ guard: callGuard, clock })
  const dispatch: DispatchPorts = {
    guardedBy,
    review: (service, background) => hosts.review(hostsOf(service), background),
    guard: callGuard,
    clock,
    sessions: new UpstreamSessions(),
    memory: new SessionObjects(namespaces.CLIENT_SESSION, reach, clock),
    inFlight: new InFlight(),
    tickets: openTickets(settings.encryptionKey),
    credentials,
    recover: (service, background) => registrarOf(service.organisationId).recover(service, background),
    noteChange: (service, background) => background(guards.noteChange(service)),
    noteMismatch: (service, background) => background(guards.noteMismatch(service)),
    budget,
    log,
  }
  const mcp: McpPorts = {
    identity,
    registryOf,
    allowedOrigins,
    trail,
    clientSessions: new Sessions(settings.encryptionKey, clock),
    dispatch,
    parked: new ParkedObjects(namespaces.PARKED_CALL, reach),
    listen: {
      registryOf,
      watch: (services) => guards.watch(services),
      isStanding: identity.isStanding.bind(identity),
    },
    listens: new Listens(settings.maxListensPerPrincipal),
    clock,
  }
  const upkeep: Gateway['upkeep'] = {
    tick: (background) => realms.held.forEach((realm) => realm.upkeep.tick(background)),
    run: async (background) => {
      const pruned = audit.prune(settings.auditRetentionDays)
      await Promise.all([home.upkeep.run(background), directory.heal(), pruned])
    },
  }
  const app = createApp({
    mcp,
    admin: {
      registrarOf,
      approverOf: (organisationId) => realms.of(organisationId).approver,
      visibilityOf: (organisationId) => realms.of(organisationId).visibility,
      figures: async (service) => {
        const guarded = guardedBy(service)
        return guarded ? await guards.view(guarded.id, guarded.limits) : err('not callable')
      },
      people: {
        accounts: new Accounts(directory),
        people: new PeopleStore(writes, patience),
        logins: new LoginStore(reads, patience),
        uses,
        guesses: new Guesses(clock),
        jwtSecret: settings.jwtSecret,
        clock,
      },
      allowedOrigins,
      admit: async (request, background) => {
        const caller = await identity.authenticate(request.headers, background)
        if (caller.ok) return caller.value
        trail.turnAway(caller.error, request, background)
        return challenge(caller.error, 'mcp:admin')
      },
      noteRefusal: trail.refuse.bind(trail),
      turnAway: trail.turnAway.bind(trail),
      audit,
    },
    health: {
      registry: home.registry,
      isDatabaseReachable: remember(async () => (await home.source.committedVersion()).ok, 1_000, clock),
      isQuickStoreReachable: remember(() => quick.isReachable(), 1_000, clock),
      listens: () => mcp.listens.total,
    },
    resource: new ProtectedResource(settings.oidc?.issuer, publicUrl?.origin),
    upkeep,
    allowedHosts,
    log,
  })
  const { healthIntervalMs, refreshIntervalMs } = settings
  const guard = {
    registryOf,
    dispatch,
    refresh: (service: ServiceRecord, background: Background) =>
      registrarOf(service.organisationId).refresh(service, background),
    storeRecords: records.store.bind(records),
    credentials: {
      vaultOf,
      refresh: (grant: Grant, resource: string) => refreshGrant(grant, resource, { policy, hosts, clock }),
    },
    healthIntervalMs,
    refreshIntervalMs,
  }
  return { app, upkeep, mcp, guard }
}

function issuerVerifiers(
  { oidc, publicUrl }: Settings,
  mayCall: MayCall,
  clock: Clock,
  log: Log,
): Verifier[] {
  if (!oidc) return []
  const { issuer } = oidc
  const keys = new IssuerKeys({
    issuer,
    mayCall,
    onMiss: () => log('warn', 'issuer_away', { issuer }),
    clock,
  })
  return [verifyIssued({ issuer, keys, readAudience: readAudience(oidc, publicUrl?.origin), clock })]
}

type DirectoryStores = {
  readonly reads: Database
  readonly patience: Patience
  readonly quick: QuickStore
  readonly sealer: Sealer
  readonly clock: Clock
}

function openDirectory({ reads, patience, quick, sealer, clock }: DirectoryStores) {
  const publication = new Publication<DirectoryImage>(quick, sealer, DIRECTORY_PLACE)
  const source = new StoredSource(reads, patience, publication, directoryLoader)
  const options = {
    open: (image: DirectoryImage) => new Directory(image),
    uselessAfterMs: () => DIRECTORY_USELESS_AFTER_MS,
  }
  return new Replica(source, options, clock)
}

/** One gateway per environment; what keeps it from running is told by every route. */
type Opened = { readonly gateway: Gateway } | { readonly app: Pick<Hono, 'fetch'> }

function open(env: Environment): Opened {
  const [settings, namespaces] = [readSettings(env), readNamespaces(env)]
  if (settings.ok && namespaces.ok) return { gateway: compose(settings.value, namespaces.value) }
  const faults = [settings, namespaces].flatMap((read) => (read.ok ? [] : read.error))
  return { app: unconfigured(faults, openLog('info')) }
}

const opened = new WeakMap<Environment, Opened>()

function openedFor(env: Environment): Opened {
  const known = opened.get(env) ?? open(env)
  opened.set(env, known)
  return known
}

/** For Durable Objects, which are only ever reached through a gateway that runs. */
function gatewayFor(env: Environment): Gateway {
  const found = openedFor(env)
  if ('gateway' in found) return found.gateway
  throw new Error('The gateway is not configured.')
}

const NAMESPACES = ['CLIENT_SESSION', 'PARKED_CALL', 'SERVICE_GUARD'] as const satisfies (keyof Namespaces)[]

/** The one place where bindings become namespaces: wrangler.toml declares them. */
function readNamespaces(env: Environment): Result<Namespaces, readonly string[]> {
  const missing = NAMESPACES.filter((name) => env[name] === undefined)
  if (missing.length === 0) return ok(env as unknown as Namespaces)
  return err(missing.map((name) => `Binding ${name} is missing: wrangler.toml declares it.`))
}

export class ClientSession extends ClientSessionObject {
  constructor(ctx: DurableObjectState, env: Environment) {
    const { mcp } = gatewayFor(env)
    super(ctx, env, { ...mcp.listen, dispatch: mcp.dispatch })
  }
}

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
    const found = openedFor(env)
    return ('gateway' in found ? found.gateway.app : found.app).fetch(request, env, context)
  },
  scheduled: async (_event, env, context) => {
    const found = openedFor(env)
    if ('gateway' in found) await found.gateway.upkeep.run((work) => context.waitUntil(work))
  },
} satisfies ExportedHandler<Environment>
