/**
 * Neon's SQL over HTTP in front of an engine: `POST /sql`, as `@neondatabase/serverless` speaks it.
 * The shapes follow Neon's own proxy (`proxy/src/serverless/sql_over_http.rs`): SQL errors and bad
 * requests are 400 with `message` and the error's fields, a lost database is 500.
 * Knows the wire; leaves SQL to the engine, which stays the caller's to close.
 */
import { randomBytes } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { encodeCell } from './cell.ts'
import { isSameSecret, MAX_BODY_BYTES, startEndpoint } from '../endpoint.ts'
import type { Answer, Call, Endpoint, Hooks } from '../endpoint.ts'
import { ERROR_FIELDS, refuseCopy, SqlError } from './engine.ts'
import type { Engine, Isolation, Outcome } from './engine.ts'
import { decodePayload } from './payload.ts'

const USER = 'switchyard'
const DATABASE = 'switchyard'
const ISOLATIONS: readonly Isolation[] = [
  'ReadUncommitted',
  'ReadCommitted',
  'RepeatableRead',
  'Serializable',
]

export interface NeonOptions extends Hooks {
  readonly engine: Engine
  /** 0 takes any free port. */
  readonly port: number
  readonly host?: string | undefined
  /** Random when not given; give it to come back on the same `databaseUrl`. */
  readonly password?: string | undefined
}

export interface Neon extends Endpoint {
  /** `postgres://user:password@host:port/database`; the endpoint is `http://host:port/sql`. */
  readonly databaseUrl: string
}

const refuse = (status: number, message: string, fields?: ReadonlyMap<string, string>): Answer => {
  const all = ERROR_FIELDS.map((name) => [name, fields?.get(name) ?? null])
  return { status, body: JSON.stringify({ message, ...Object.fromEntries(all) }) }
}

const decode = (text: string): string => {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** What is wrong with the connection string; undefined when it opens this database. */
const checkConnection = (header: string | undefined, password: string): Answer | undefined => {
  if (header === undefined) {
    return refuse(400, 'invalid header: neon-connection-string (it is missing)')
  }
  if (!URL.canParse(header)) return refuse(400, 'invalid connection string: not a URL')
  const url = new URL(header)
  if (!/^postgres(ql)?:$/.test(url.protocol)) return refuse(400, 'incorrect scheme')
  if (url.username === '') return refuse(400, 'missing username')
  if (url.password === '') {
    return refuse(400, 'missing authentication credentials: required password')
  }
  const isRight = isSameSecret(`${url.username}:${decode(url.password)}`, `${USER}:${password}`)
  if (!isRight) return refuse(400, `password authentication failed for user '${url.username}'`)
  const database = url.pathname.slice(1)
  if (database === DATABASE) return undefined
  const fields = new Map([
    ['severity', 'FATAL'],
    ['code', '3D000'],
  ])
  return refuse(400, `database "${database}" does not exist`, fields)
}

const encodeOutcome = (outcome: Outcome, isRaw: boolean, isArray: boolean): string => {
  const { command, rowCount, fields, rows } = outcome
  const names = fields.map(({ name }) => JSON.stringify(name))
  const encodeRow = (row: readonly (string | null)[]): string => {
    const cells = fields.map(({ dataTypeID }, i) => encodeCell(row[i] ?? null, dataTypeID, isRaw))
    return isArray ? `[${cells}]` : `{${cells.map((cell, i) => `${names[i]}:${cell}`)}}`
  }
  const head = JSON.stringify({
    command,
    rowCount,
    fields: fields.map((field) => ({ ...field, format: 'text' })),
    rowAsArray: isArray,
  })
  return `${head.slice(0, -1)},"rows":[${rows.map(encodeRow)}]}`
}

const isOn = (headers: IncomingHttpHeaders, name: string): boolean => headers[name] === 'true'

const execute = async (engine: Engine, { headers, readBody }: Call): Promise<Answer> => {
  const level = headers['neon-batch-isolation-level']
  const isolation = ISOLATIONS.find((known) => known === level)
  if (level !== undefined && !isolation) return refuse(400, 'invalid isolation level')
  const body = await readBody()
  if (!body) return refuse(413, `request is too large (max is ${MAX_BODY_BYTES} bytes)`)
  const payload = decodePayload(body)
  if (payload.is === 'malformed') return refuse(400, payload.message)

  const isRaw = isOn(headers, 'neon-raw-text-output')
  const isArray = isOn(headers, 'neon-array-mode')
  if (payload.is === 'single') {
    const { statement, arrayMode } = payload.query
    refuseCopy(statement.query)
    const outcome = await engine.run(statement)
    return { status: 200, body: encodeOutcome(outcome, isRaw, arrayMode ?? isArray) }
  }
  const readOnly = isOn(headers, 'neon-batch-read-only')
  const deferrable = isOn(headers, 'neon-batch-deferrable')
  const statements = payload.queries.map(({ statement }) => statement)
  for (const { query } of statements) refuseCopy(query)
  const outcomes = await engine.batch(statements, { isolation, readOnly, deferrable })
  const results = outcomes.map((outcome, i) =>
    encodeOutcome(outcome, isRaw, payload.queries[i]?.arrayMode ?? isArray),
  )
  const echoed = {
    ...(readOnly && { 'neon-batch-read-only': 'true' }),
    ...(deferrable && { 'neon-batch-deferrable': 'true' }),
    ...(isolation && { 'neon-batch-isolation-level': isolation }),
  }
  return { status: 200, body: `{"results":[${results}]}`, headers: echoed }
}

/** Starts the endpoint. Rejects when the port is taken. `close` leaves the engine open. */
export const startNeon = async (options: NeonOptions): Promise<Neon> => {
  const { engine, port, host = '127.0.0.1', password = randomBytes(24).toString('hex') } = options
  const answer = async (call: Call): Promise<Answer> => {
    if (call.url.pathname !== '/sql') return refuse(404, 'only POST /sql is served here')
    if (call.method !== 'POST') return refuse(405, 'only POST is allowed on /sql')
    const connection = call.headers['neon-connection-string']
    const refusal = checkConnection(connection?.toString(), password)
    if (refusal) return refusal
    try {
      return await execute(engine, call)
    } catch (error) {
      if (error instanceof SqlError) return refuse(400, error.message, error.fields)
      throw error
    }
  }
  const endpoint = await startEndpoint({ ...options, host, port }, answer)
  const secret = encodeURIComponent(password)
  const databaseUrl = `postgres://${USER}:${secret}@${host}:${endpoint.port}/${DATABASE}`
  return { ...endpoint, databaseUrl }
}
