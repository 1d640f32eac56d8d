/**
 * The registry of one organisation as plain data: what storage loads and publishes, and what a snapshot is
 * built from. What upstreams said is raw JSON text, byte for byte.
 */
import type { Catalogue } from '../protocol/catalogue.ts'
import type { Transport } from '../protocol/transport.ts'
import type { Era } from '../protocol/version.ts'
import type { OfferKind } from './kind.ts'

export type ServiceStatus = 'connected' | 'disconnected' | 'error'
export type LoadBalancer = 'round_robin' | 'least_connections' | 'weighted' | 'health_based' | 'random'

/** Who is given a result again: everybody who may use the tool, or only who asked for it. */
export type CacheScope = 'shared' | 'caller'

export type ServiceInstance = { readonly id: string; readonly url: string; readonly weight: number }

/** What an operator sets; absent members mean the gateway's default. */
export type ServiceConfig = {
  readonly timeoutMs?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly loadBalancer?: LoadBalancer
  readonly rateLimit?: { readonly requestsPerMinute: number; readonly burstLimit: number }
  readonly circuitBreaker?: {
    readonly failureThreshold: number
    readonly recoveryTimeout: number
    readonly halfOpenMaxCalls: number
    /** Calls that take longer count as slow, and many slow ones open the circuit as failures do. */
    readonly slowCallMs?: number
  }
  readonly retry?: {
    readonly maxAttempts: number
    readonly backoffStrategy: 'linear' | 'exponential'
    readonly initialDelay: number
    readonly maxDelay: number
    readonly jitter: boolean
  }
  /** For how long results of its tools are given again; absent or 0: not at all. */
  readonly cacheTtlSeconds?: number
  readonly cacheScope?: CacheScope
  /** What its tools say of themselves is believed: one that calls itself idempotent may be called again (S41). */
  readonly trusted?: boolean
  /** A tool that changes is withheld until an operator approves it (S35). */
  readonly pinDefinitions?: boolean
  /** When an operator last set what is never shown: the credential or fixed headers. */
  readonly secretsSetAt?: string
  /** What the environment said of it when that was last applied, as a sealed digest. */
  readonly environment?: string
  /** Raw JSON text of an array of tools, served while the service has never been discovered. */
  readonly fallbackTools?: string
}

export type ServiceRecord = {
  readonly id: string
  readonly organisationId: string
  /** The slug. */
  readonly name: string
  readonly url: string
  readonly transport: Transport
  readonly config: ServiceConfig
  readonly sealedAuth: string | undefined
  readonly isEnabled: boolean
  /** How often the results of its tools were thrown away. */
  readonly cacheEpoch: number
  readonly status: ServiceStatus
  readonly statusReason: string | undefined
  readonly lastPingAt: string | undefined
  readonly createdAt: string
  readonly updatedAt: string
  readonly instances: readonly ServiceInstance[]
  /** Absent until the first discovery succeeds. */
  readonly catalogue: Catalogue | undefined
  /** The SHA-256 of each tool as it is offered now, by its own name. */
  readonly digests: Digests
  /** Those that an operator approved last. Counts where the service pins its definitions. */
  readonly approved: Digests
}

/** What names a service among those of all organisations. */
export type ServiceKey = Pick<ServiceRecord, 'organisationId' | 'id'>

/** Stands in the place of a service's id for what belongs to none. */
export const NO_SERVICE = ''

export const writeKey = ({ organisationId, id }: ServiceKey): string => `${organisationId}/${id}`

export function readKey(key: string): ServiceKey {
  const [organisationId = '', id = ''] = key.split('/')
  return { organisationId, id }
}

export type Digests = Readonly<Record<string, string>>

/**
 * A service that speaks both eras is spoken to in the modern one, which needs no session; but a client with a
 * session of its own gets one there too, where it can have one, so that what it could do directly it can do here.
 */
export function spokenEra({ catalogue }: Pick<ServiceRecord, 'catalogue'>, hasSession: boolean): Era {
  const { era = 'legacy', legacyVersion, isStateful = false } = catalogue ?? {}
  return era === 'legacy' || (hasSession && isStateful && legacyVersion !== undefined) ? 'legacy' : 'modern'
}

/** Which service holds a bare name or URI; once given it stays with its holder (no shadowing). */
export type NameGrant = { readonly kind: OfferKind; readonly name: string; readonly serviceId: string }

/** Whether callers of this agent type may use these tools: a public name, `service/*` or `*`; `*` is every agent type. */
export type PermissionRule = {
  readonly agentType: string
  readonly tool: string
  readonly isAllowed: boolean
}

/** What an operator says of one tool; absent members leave it as its service says. */
export type ToolSetting = {
  readonly serviceId: string
  /** The service's own name for it. */
  readonly tool: string
  readonly isEnabled: boolean
  readonly cacheTtlSeconds?: number
  readonly cacheScope?: CacheScope
  /** How often its results were thrown away; absent: never. */
  readonly cacheEpoch?: number
  readonly timeoutMs?: number
  /** The name by which callers know it. */
  readonly alias?: string
  readonly description?: string
}

/** A selection of tools with an endpoint of its own: public names, or `service/*`. */
export type Toolset = {
  readonly id: string
  readonly slug: string
  readonly tools: readonly string[]
  readonly createdAt: string
  readonly updatedAt: string
}

export type RegistryImage = {
  readonly organisationId: string
  readonly version: number
  /** In order of registration. */
  readonly services: readonly ServiceRecord[]
  /** In order of granting. */
  readonly names: readonly NameGrant[]
  readonly permissions: readonly PermissionRule[]
  readonly toolSettings: readonly ToolSetting[]
  readonly toolsets: readonly Toolset[]
}
