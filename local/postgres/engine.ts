/**
 * What the local Neon endpoint asks of a Postgres: one statement, or several in one transaction.
 * Knows Postgres' words (tags, error fields, isolation levels); knows neither HTTP nor an engine.
 */

/** One SQL statement with its parameters in Postgres text format; null is SQL NULL. */
export interface Statement {
  readonly query: string
  readonly params: readonly (string | null)[]
}

/** One column of a result, as RowDescription gives it. */
export interface Field {
  readonly name: string
  readonly tableID: number
  readonly columnID: number
  readonly dataTypeID: number
  readonly dataTypeSize: number
  readonly dataTypeModifier: number
}

/** What one statement gave. Cells are Postgres' own text output, never parsed; null is SQL NULL. */
export interface Outcome {
  readonly command: string
  readonly rowCount: number | null
  readonly fields: readonly Field[]
  readonly rows: readonly (readonly (string | null)[])[]
}

export type Isolation = 'ReadUncommitted' | 'ReadCommitted' | 'RepeatableRead' | 'Serializable'

/** How a batch's transaction begins. */
export interface Transaction {
  readonly isolation: Isolation | undefined
  readonly readOnly: boolean
  readonly deferrable: boolean
}

/**
 * A Postgres that takes one statement at a time or a batch in one transaction.
 * SQL errors reject with `SqlError`; anything else that rejects means that the database is away.
 */
export interface Engine {
  run(statement: Statement): Promise<Outcome>
  batch(statements: readonly Statement[], transaction: Transaction): Promise<Outcome[]>
  close(): Promise<void>
}

/** The fields of a Postgres error that Neon hands on, in the names of its driver. */
export const ERROR_FIELDS = [
  'severity',
  'code',
  'detail',
  'hint',
  'position',
  'internalPosition',
  'internalQuery',
  'where',
  'schema',
  'table',
  'column',
  'dataType',
  'constraint',
  'file',
  'line',
  'routine',
] as const

/** An error that Postgres itself reported, with every field it gave. */
export class SqlError extends Error {
  readonly fields: ReadonlyMap<string, string>

  constructor(message: string, fields: ReadonlyMap<string, string>) {
    super(message)
    this.name = 'SqlError'
    this.fields = fields
  }
}

/** Reads a driver's error; undefined when Postgres did not report it (a lost connection, a bug). */
export const readSqlError = (error: unknown): SqlError | undefined => {
  if (!(error instanceof Error)) return undefined
  const fields = new Map<string, string>()
  for (const name of ERROR_FIELDS) {
    const value: unknown = Reflect.get(error, name)
    if (typeof value === 'string') fields.set(name, value)
  }
  // Socket errors have a `code` too (ECONNRESET); only Postgres states a severity.
  return fields.has('severity') ? new SqlError(error.message, fields) : undefined
}

const ISOLATION_SQL: Record<Isolation, string> = {
  ReadUncommitted: 'READ UNCOMMITTED',
  ReadCommitted: 'READ COMMITTED',
  RepeatableRead: 'REPEATABLE READ',
  Serializable: 'SERIALIZABLE',
}

/** The BEGIN statement of a batch. */
export const beginOf = ({ isolation, readOnly, deferrable }: Transaction): string =>
  [
    'BEGIN',
    ...(isolation ? [`ISOLATION LEVEL ${ISOLATION_SQL[isolation]}`] : []),
    ...(readOnly ? ['READ ONLY'] : []),
    ...(deferrable ? ['DEFERRABLE'] : []),
  ].join(' ')

/** Splits a command tag as Neon does: `INSERT 0 3` is INSERT and 3, `CREATE TABLE` is CREATE and null. */
export const readTag = (tag: string): { command: string; rowCount: number | null } => {
  const [command = '', ...rest] = tag.split(' ')
  const count = command === 'INSERT' ? rest[1] : rest.join(' ')
  return { command, rowCount: count !== undefined && /^\d+$/.test(count) ? Number(count) : null }
}

const SESSION_COMMANDS = new Set(['SET', 'PREPARE', 'LISTEN', 'DECLARE', 'LOAD'])

/** True when a command leaves state in the session that the next caller must not meet. */
export const marksSession = (command: string): boolean => SESSION_COMMANDS.has(command)

const LEADING_COMMENTS = /^(?:\s+|--[^\n]*\n|\/\*[^]*?\*\/|;)+/

/**
 * Refuses COPY, as nothing can stream over one HTTP answer. PGlite would not come back from it:
 * waiting for rows that cannot arrive, it fills the memory of the process.
 */
export const refuseCopy = (query: string): void => {
  if (!/^copy\b/i.test(query.replace(LEADING_COMMENTS, ''))) return
  const fields = new Map([
    ['severity', 'ERROR'],
    ['code', '0A000'],
  ])
  throw new SqlError('COPY is not supported over HTTP', fields)
}
