/**
 * Usage as it is counted: calls of tools in groups, with how they ended and how long they took. Counted from the rows
 * each time, so that it is exact; what waits to be stored is not in it yet.
 */
import { and, eq, gte, lt, type SQL, sql } from 'drizzle-orm'
import type { Result } from '../platform/result.ts'
import type { UsageStatus } from '../telemetry/audit.ts'
import type { Database, DatabaseFault } from './database.ts'
import { prune, type RetentionPorts } from './retention.ts'
import { toolUsage } from './schema.ts'

export type UsageGroup = 'tool' | 'service' | 'caller' | 'hour'

/** A place among the groups of one window: nothing is counted more than what comes before it. */
export type UsagePlace = { readonly calls: number; readonly key: string }

export type UsageQuery = {
  readonly from: Date
  /** Not itself. */
  readonly to: Date
  readonly groupBy: UsageGroup
  /** The service's own name of it. */
  readonly tool?: string | undefined
  /** By slug, or by id. */
  readonly service?: string | undefined
  readonly caller?: string | undefined
  readonly status?: UsageStatus | undefined
  readonly after?: UsagePlace | undefined
  readonly limit: number
}

export type UsageCounts = {
  /** All of them, whatever became of them. */
  readonly calls: number
  /** Those that went and failed, timeouts included. */
  readonly errors: number
  readonly timeouts: number
  /** Those that were not let through. */
  readonly refused: number
  readonly cached: number
  readonly requestBytes: number
  readonly responseBytes: number
  /** Of those that were let through; `null`: there were none. */
  readonly p50Ms: number | null
  readonly p95Ms: number | null
  readonly p99Ms: number | null
}

/** With what its group is called: the members that `NAMES` says. */
export type UsageRow = UsagePlace & UsageCounts & Readonly<Partial<Record<UsageName, string>>>

type UsageName = 'tool' | 'service' | 'caller' | 'callerType' | 'hour'

export const USAGE_NAMES: Readonly<Record<UsageGroup, readonly UsageName[]>> = {
  tool: ['service', 'tool'],
  service: ['service'],
  caller: ['callerType', 'caller'],
  hour: ['hour'],
}

type Ports = RetentionPorts & {
  /** With the time that counting may take. */
  readonly reads: Database
}

export class UsageStore {
  readonly #ports: Ports

  constructor(ports: Ports) {
    this.#ports = ports
  }

  /** No more than `limit` groups of one organisation: hours in order, others by their calls, the most first. */
  count(organisationId: string, query: UsageQuery): Promise<Result<UsageRow[], DatabaseFault>> {
    const { reads, patience } = this.#ports
    const statement = statementOf(organisationId, query)
    return patience.read(async () => (await reads.execute<UsageRow>(statement).execute()).rows)
  }

  prune(days: number): Promise<void> {
    return prune('tool_usage', days, this.#ports)
  }
}

/** The columns that are not asked for are not computed: Postgres merges the parts of the statement. */
function statementOf(organisationId: string, query: UsageQuery): SQL {
  const { groupBy, after, limit } = query
  const names = sql.join(
    USAGE_NAMES[groupBy].map((name) => sql.identifier(name)),
    sql`, `,
  )
  const isInTime = groupBy === 'hour'
  return sql`
    with used as (
      select tool, coalesce(services.name, service_id::text, '') as service,
        caller_id as caller, caller_type as "callerType",
        to_char(date_trunc('hour', tool_usage.created_at at time zone 'UTC'), 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as hour,
        tool_usage.status as ended, is_cached, request_bytes, response_bytes,
        case when tool_usage.status <> 'refused' then duration_ms end as ms
      from tool_usage left join services on services.id = service_id
      where ${and(eq(toolUsage.organisationId, organisationId), ...conditionsOf(query))}
    ), counted as (
      select ${names}, concat_ws(' ', ${names}) collate "C" as key, count(*)::float8 as calls,
        count(*) filter (where ended in ('error', 'timeout'))::float8 as errors,
        count(*) filter (where ended = 'timeout')::float8 as timeouts,
        count(*) filter (where ended = 'refused')::float8 as refused,
        count(*) filter (where is_cached)::float8 as cached,
        coalesce(sum(request_bytes), 0)::float8 as "requestBytes",
        coalesce(sum(response_bytes), 0)::float8 as "responseBytes",
        percentile_cont(array[0.5, 0.95, 0.99]) within group (order by ms) as waits
      from used group by ${names}
    )
    select *, ${roundedMs(1)} as "p50Ms", ${roundedMs(2)} as "p95Ms", ${roundedMs(3)} as "p99Ms"
    from counted where ${after ? isAfter(after, isInTime) : sql`true`}
    order by ${isInTime ? sql`key` : sql`calls desc, key`} limit ${limit}`
}

const roundedMs = (place: 1 | 2 | 3): SQL => sql`round(waits[${sql.raw(`${place}`)}]::numeric, 1)::float8`

const isAfter = ({ calls, key }: UsagePlace, isInTime: boolean): SQL =>
  isInTime ? sql`key > ${key}` : sql`(calls < ${calls} or (calls = ${calls} and key > ${key}))`

const conditionsOf = ({ from, to, tool, service, caller, status }: UsageQuery): (SQL | undefined)[] => [
  gte(toolUsage.createdAt, from),
  lt(toolUsage.createdAt, to),
  tool === undefined ? undefined : eq(toolUsage.tool, tool),
  service === undefined ? undefined : sql`${service} in (services.name, service_id::text)`,
  caller === undefined ? undefined : eq(toolUsage.callerId, caller),
  status === undefined ? undefined : eq(toolUsage.status, status),
]
