/** Joins every port to its adapter: one gateway, from its settings. */
import { Accounts } from './admin/accounts.ts'
import type { Registration } from './admin/api/service.ts'
import type { Files } from './admin/pages.ts'
import type { Figures } from './admin/figures.ts'
import type { Registrar } from './admin/registrar.ts'
import { Survey } from './admin/survey.ts'
import { turnOf, type Upkeep } from './admin/upkeep.ts'
import { type App, createApp } from './app.ts'
import { type Namespaces, SessionObjects } from './durable/objects.ts'
import type { CredentialVault } from './durable/credential-refresh.ts'
import { ParkedObjects } from './durable/parked-objects.ts'
import { openReach } from './durable/reach.ts'
import { type GuardPorts } from './durable/service-guard.ts'
import { ServiceGuards } from './durable/service-guards.ts'
import type { McpPorts } from './flow.ts'
import { Guard } from './guard/guard.ts'
import { challenge } from './identity/challenge.ts'
import { Guesses } from './identity/guess.ts'
import type { Unidentified } from './identity/identify.ts'
import { DEFAULT_ORGANISATION, type Principal } from './identity/principal.ts'
import type { Scope } from './identity/scope.ts'
import { ProtectedResource } from './identity/resource.ts'
import { Sessions } from './identity/session.ts'
import { Credentials } from './mcp/credential.ts'
import { guardedBy as guardedUnder } from './mcp/permit.ts'
import type { DispatchPorts } from './mcp/prepare.ts'
import { InFlight } from './mcp/inflight.ts'
import { Listens } from './mcp/listens.ts'
import { Results } from './mcp/results.ts'
import { openTickets } from './mcp/tickets.ts'
import { Trail } from './mcp/trail.ts'
import { ByteBudget } from './platform/budget.ts'
import type { Background } from './platform/background.ts'
import { systemClock } from './platform/clock.ts'
import { remember, rememberFor } from './platform/remember.ts'
import { err, type Result } from './platform/result.ts'
import type { Settings } from './platform/settings.ts'
import { LIMITS } from './protocol/limits.ts'
import type { ServiceRecord } from './registry/image.ts'
import { instancesOf } from './registry/instance.ts'
import type { Registry } from './registry/registry.ts'
import { Realms } from './realm.ts'
import { LoginStore } from './storage/login.ts'
import { PeopleStore } from './storage/people.ts'
import { AuditStore } from './storage/audit.ts'
import { RecordStore } from './storage/record.ts'
import { StoredResults } from './storage/results.ts'
import { UsageStore } from './storage/usage.ts'
import { KeyUses } from './storage/use.ts'
import { openLog } from './telemetry/log.ts'
import { checkAddress } from './upstream/address.ts'
import { discover } from './upstream/discovery.ts'
import type { Grant } from './upstream/grant.ts'
import { hostOf, Hosts } from './upstream/hosts.ts'
import { refreshGrant } from './upstream/refresh.ts'
import { openResolver } from './upstream/resolver.ts'
import { UpstreamSessions } from './upstream/session.ts'
import { openIdentity } from './callers.ts'
import { openDirectory, openStores } from './stores.ts'

export type Gateway = {
  readonly app: App
  readonly upkeep: Pick<Upkeep, 'tick' | 'run'>
  readonly mcp: McpPorts
  readonly guard: GuardPorts
}

/** `configured`: the services of the environment, as far as they were read. */
export function compose(
  settings: Settings,
  configured: () => readonly Registration[],
  namespaces: Namespaces,
  files: Files | undefined,
): Gateway {
  const clock = systemClock
  const log = openLog(settings.logLevel)
  const stores = openStores(settings, clock, log)
  const { reads, writes, patience, quick, sealers } = stores
  const directory = openDirectory(stores, clock)
  const uses = new KeyUses(writes, patience, clock)
  const records = new RecordStore(writes, patience)
  const audit = new AuditStore({ reads, writes, patience, clock })
  // An operator waits longer for a count over months than a caller for an answer.
  const usage = new UsageStore({ reads: writes, writes, patience, clock })
  const { allowPrivateUpstreams: allowPrivate, publicUrl, dohUrl } = settings
  const policy = { allowPrivate, ownHosts: publicUrl ? [publicUrl.hostname] : [] }
  const hosts = new Hosts(dohUrl && !allowPrivate ? openResolver(dohUrl) : undefined, clock)
  const isAllowed = (url: string): boolean => checkAddress(url, policy).ok
  /** What decides who comes in is fetched from no name that was not looked up just now. */
  const mayFetch = async (url: string): Promise<boolean> =>
    isAllowed(url) && (await hosts.examine(url)) !== 'private'
  const noteUse = uses.note.bind(uses)
  const identity = openIdentity(settings, { directory, mayFetch, noteUse, clock, log })
  const budget = new ByteBudget(LIMITS.memoryBytes)
  const reach = openReach(log)
  const guards = new ServiceGuards(namespaces.SERVICE_GUARD, reach, clock)
  const realms = new Realms({
    ...stores,
    discover: (destination) => discover({ ...destination, budget }),
    forgive: (service) => guards.forgive(service),
    credential: (service, background) => credentials.get(service, background),
    renewCredential: (service, refused, background) => credentials.renew(service, refused, background),
    policy,
    defaultTtlSeconds: settings.cacheTtlSeconds,
    hosts,
    configured: (organisationId) => (organisationId === DEFAULT_ORGANISATION ? configured() : []),
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
  const trail = new Trail({ guard: callGuard, clock, log })
  const dispatch: DispatchPorts = {
    guardedBy,
    review: (service, background) => hosts.review(hostsOf(service), background),
    guard: callGuard,
    clock,
    sessions: new UpstreamSessions(),
    memory: new SessionObjects(namespaces, reach, clock),
    inFlight: new InFlight(),
    tickets: openTickets(settings.encryptionKey),
    credentials,
    recover: (service, background) => registrarOf(service.organisationId).recover(service, background),
    noteChange: (service, background) => background(guards.noteChange(service)),
    noteMismatch: (service, background) => background(guards.noteMismatch(service)),
    budget,
    capturesCalls: settings.usageCapture === 'full',
    results: new Results({ shared: new StoredResults(quick, sealers.result), budget, clock }),
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
  const admitted = (
    caller: Result<Principal, Unidentified>,
    needed: Scope,
    request: Request,
    background: Background,
  ): Principal | Response => {
    if (caller.ok) return caller.value
    trail.turnAway(caller.error, request, background)
    return challenge(caller.error, needed)
  }
  const upkeep: Gateway['upkeep'] = {
    tick: (background) => realms.held.forEach((realm) => realm.upkeep.tick(background)),
    run: async (background) => {
      const { auditRetentionDays, usageRetentionDays } = settings
      const pruned = [audit.prune(auditRetentionDays), usage.prune(usageRetentionDays)]
      const known = await directory.current(background)
      const organisationIds = known.ok ? known.value.image.organisations.map(({ id }) => id) : []
      const turn = realms.of(turnOf(organisationIds, clock()) ?? DEFAULT_ORGANISATION)
      await Promise.all([turn.upkeep.run(background), directory.heal(), ...pruned])
    },
  }
  const figuresBy =
    (look: 'view' | 'glance'): Figures =>
    async (service) => {
      const guarded = guardedBy(service)
      return guarded ? await guards[look](guarded.id, guarded.limits) : err('not callable')
    }
  const dependencies = {
    isDatabaseReachable: remember(async () => (await home.source.committedVersion()).ok, 1_000, clock),
    isQuickStoreReachable: remember(() => quick.isReachable(), 1_000, clock),
  }
  const app = createApp({
    mcp,
    admin: {
      registryOf,
      registrarOf,
      approverOf: (organisationId) => realms.of(organisationId).approver,
      visibilityOf: (organisationId) => realms.of(organisationId).visibility,
      figures: figuresBy('view'),
      survey: new Survey({ glance: figuresBy('glance'), clock }),
      dependencies,
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
      admit: async (request, background) =>
        admitted(await identity.authenticate(request.headers, background), 'mcp:admin', request, background),
      admitAgent: async (request, endpoint, background) =>
        admitted(
          await identity.identify(request.headers, background, endpoint),
          'mcp:write',
          request,
          background,
        ),
      noteRefusal: trail.refuse.bind(trail),
      turnAway: trail.turnAway.bind(trail),
      audit,
      usage,
      clock,
      defaultTimeoutMs: settings.defaultTimeoutMs,
      healthIntervalMs: settings.healthIntervalMs,
    },
    health: {
      ...dependencies,
      registry: home.registry,
      listens: () => mcp.listens.total,
    },
    resource: new ProtectedResource(settings.oidc?.issuer, publicUrl?.origin),
    upkeep,
    files,
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
