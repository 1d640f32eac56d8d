/**
 * Neon's SQL over HTTP, beneath drizzle: `POST /sql` with one statement, or with several as one transaction. Drizzle
 * makes the statements and reads the columns; values come back as the text that Postgres writes.
 */
import type { NeonHttpClient } from 'drizzle-orm/neon-http/session'

/** Says nothing of the statement or of its values: both may hold what no log may show (S58). */
export class SqlFault extends Error {
  /** PostgreSQL, Appendix A, "Error Codes"; absent: the statement was not judged. */
  readonly sqlState: string | undefined
  /** There is no room for now, and nothing was done. */
  readonly isBusy: boolean

  constructor(sqlState?: string, isBusy = false) {
    super('The database did not run a statement.')
    this.sqlState = sqlState
    this.isBusy = isBusy
  }
}

/**
 * For drizzle, which calls these two members of Neon's own client and nothing else of it. Each request is aborted when
 * `budgetMs` is over, its answer half read or not. Throws `SqlFault` where the database does not run a statement.
 */
export function openClient(url: string, budgetMs: number): NeonHttpClient {
  const wire = new Wire(url, budgetMs)
  const client = {
    query: (text: string, params: readonly unknown[], options: Options) =>
      new Pending(wire, text, params, options),
    transaction: (statements: readonly Pending[]) => wire.runAll(statements),
  }
  return client as unknown as NeonHttpClient
}

type Options = { readonly arrayMode?: boolean }

/** Goes out when it is waited for, unless it was put into a transaction. */
class Pending implements PromiseLike<Outcome> {
  readonly statement: { readonly query: string; readonly params: readonly (string | null)[] }
  readonly isInArrays: boolean
  readonly #wire: Wire

  constructor(wire: Wire, query: string, params: readonly unknown[], { arrayMode = false }: Options) {
    this.#wire = wire
    this.statement = { query, params: params.map(writeValue) }
    this.isInArrays = arrayMode
  }

  // oxlint-disable-next-line unicorn/no-thenable -- drizzle waits for what it is given
  then<Done, Failed>(
    onDone?: ((outcome: Outcome) => Done | PromiseLike<Done>) | null,
    onFailed?: ((reason: unknown) => Failed | PromiseLike<Failed>) | null,
  ): Promise<Done | Failed> {
    return this.#wire.run(this).then(onDone, onFailed)
  }
}

type Cell = string | null

/** As Neon answers with raw text in arrays. */
type RawOutcome = {
  readonly fields: readonly { readonly name: string; readonly dataTypeID: number }[]
  readonly rows: readonly (readonly Cell[])[]
}

type Outcome = Omit<RawOutcome, 'rows'> & { readonly rows: readonly unknown[] }

const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+)$/

class Wire {
  readonly #endpoint: string
  readonly #connection: string
  readonly #budgetMs: number

  constructor(url: string, budgetMs: number) {
    const { hostname, port } = new URL(url)
    // A loopback host means the local endpoint: the same wire over plain HTTP.
    this.#endpoint = LOOPBACK.test(hostname)
      ? `http://${hostname}:${port}/sql`
      : `https://${hostname.replace(/^[^.]+\./, 'api.')}/sql`
    this.#connection = url
    this.#budgetMs = budgetMs
  }

  async run(pending: Pending): Promise<Outcome> {
    return readOutcome(await this.#post<RawOutcome>(pending.statement), pending)
  }

  async runAll(statements: readonly Pending[]): Promise<readonly Outcome[]> {
    const queries = statements.map(({ statement }) => statement)
    const { results } = await this.#post<{ readonly results: readonly RawOutcome[] }>({ queries })
    return results.flatMap((result, at) => {
      const pending = statements[at]
      return pending ? [readOutcome(result, pending)] : []
    })
  }

  /** Reads the whole answer, so that a connection that breaks half-way is told like one that was never made. */
  async #post<Answer>(payload: object): Promise<Answer> {
    const { status, text } = await this.#ask(JSON.stringify(payload))
    if (status === 200) return parse<Answer>(text)
    // Statements that cannot be run are answered so; whatever else does not come from Postgres.
    const { code } = status === 400 ? parse<{ readonly code?: string | null }>(text) : {}
    throw new SqlFault(code ?? undefined, status === 429)
  }

  async #ask(body: string): Promise<{ readonly status: number; readonly text: string }> {
    const headers = {
      'neon-connection-string': this.#connection,
      'neon-raw-text-output': 'true',
      'neon-array-mode': 'true',
    }
    const signal = AbortSignal.timeout(this.#budgetMs)
    try {
      const response = await fetch(this.#endpoint, { method: 'POST', headers, body, signal })
      return { status: response.status, text: await response.text() }
    } catch {
      throw new SqlFault()
    }
  }
}

/** The one place where what Neon said gets its shape; what is no JSON did not come from Neon. */
function parse<Shape>(text: string): Shape {
  try {
    return JSON.parse(text)
  } catch {
    throw new SqlFault()
  }
}

function readOutcome({ fields, rows, ...rest }: RawOutcome, { isInArrays }: Pending): Outcome {
  const readers = fields.map(({ dataTypeID }) => READERS[dataTypeID] ?? asText)
  const values = rows.map((row) =>
    row.map((cell, at) => (cell === null ? null : (readers[at] ?? asText)(cell))),
  )
  if (isInArrays) return { ...rest, fields, rows: values }
  const named = values.map((row) =>
    Object.fromEntries(row.map((value, at) => [fields[at]?.name ?? '', value])),
  )
  return { ...rest, fields, rows: named }
}

const asText = (text: string): string => text

/** By the OID of their type (`pg_type.dat`). Others stay text: drizzle reads times from it, and int8 must not be rounded. */
const READERS: Readonly<Record<number, (text: string) => unknown>> = {
  16: (text) => text === 't',
  21: Number,
  23: Number,
  26: Number,
  700: Number,
  701: Number,
  1009: readTexts,
  114: (text) => JSON.parse(text),
  3802: (text) => JSON.parse(text),
}

/** PostgreSQL, section 8.15.6, "Array Input and Output Syntax"; of one dimension. */
function readTexts(text: string): readonly (string | null)[] {
  return [...text.matchAll(ELEMENT)].map(([, quoted, plain = '']) =>
    quoted === undefined ? (plain === 'NULL' ? null : plain) : quoted.replace(/\\(.)/gs, '$1'),
  )
}

const ELEMENT = /"((?:[^"\\]|\\.)*)"|([^",{}]+)/gs

/** As Postgres reads it; drizzle has written arrays, documents and times already. */
const writeValue = (value: unknown): string | null =>
  value === null || value === undefined ? null : value instanceof Date ? value.toISOString() : String(value)
