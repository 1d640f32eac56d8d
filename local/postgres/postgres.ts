/**
 * A real PostgreSQL as an engine, through a pool of `pg`. Knows connections and their state;
 * knows neither HTTP nor what the statements mean.
 */
import pg from 'pg'
import { beginOf, marksSession, readSqlError } from './engine.ts'
import type { Engine, Outcome, Statement } from './engine.ts'

const CONNECT_TIMEOUT_MS = 3_000

const keepText = { getTypeParser: () => (text: string) => text }

// Neon's defaults: what a server's own configuration says must not change the text of a value.
const SESSION_SETTINGS = `SET TimeZone = 'GMT'; SET DateStyle = 'ISO, MDY'; SET IntervalStyle = 'postgres';
  SET bytea_output = 'hex'; SET extra_float_digits = 1`

const send = async (client: pg.PoolClient, { query, params }: Statement): Promise<Outcome> => {
  const config = {
    text: query,
    values: [...params],
    rowMode: 'array' as const,
    // Without it, a query without parameters may hold several statements, which Neon refuses.
    queryMode: 'extended',
    types: keepText,
  }
  const result = await client.query<(string | null)[]>(config)
  const fields = result.fields.map(
    ({ name, tableID, columnID, dataTypeID, dataTypeSize, dataTypeModifier }) => ({
      name,
      tableID,
      columnID,
      dataTypeID,
      dataTypeSize,
      dataTypeModifier,
    }),
  )
  const { command, rowCount, rows } = result
  return { command: command ?? '', rowCount, fields, rows }
}

/**
 * Opens a pool on the Postgres of `url` and proves it with one query.
 * Rejects within about 3 s, naming host and port but never the password, when it is out of reach.
 */
export const openPostgres = async (url: string): Promise<Engine> => {
  const pool = new pg.Pool({
    connectionString: url,
    max: 8,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    onConnect: async (client) => void (await client.query(SESSION_SETTINGS)),
  })
  // An idle connection that dies is replaced by the next request; unheard, the event would end the process.
  pool.on('error', () => {})

  // Connections whose session settings a caller has changed: closed instead of handed on.
  const stained = new WeakSet<pg.PoolClient>()

  const hold = async <T>(use: (client: pg.PoolClient) => Promise<T>): Promise<T> => {
    const client = await pool.connect()
    const ignore = (): void => {}
    client.on('error', ignore)
    let isDirty = true
    try {
      const result = await use(client)
      isDirty = false
      return result
    } catch (error) {
      const sqlError = readSqlError(error)
      isDirty = sqlError === undefined
      throw sqlError ?? error
    } finally {
      client.off('error', ignore)
      client.release(isDirty || client.getTransactionStatus() !== 'I' || stained.has(client))
    }
  }

  const step = async (client: pg.PoolClient, statement: Statement): Promise<Outcome> => {
    const outcome = await send(client, statement)
    if (marksSession(outcome.command)) stained.add(client)
    return outcome
  }

  try {
    await pool.query('SELECT 1')
  } catch (error) {
    await pool.end()
    const { hostname, port } = new URL(url)
    const reason = error instanceof Error ? error.message : String(error)
    throw new Error(`PostgreSQL at ${hostname}:${port || '5432'} is out of reach: ${reason}`, {
      cause: error,
    })
  }

  return {
    run: (statement) => hold((client) => step(client, statement)),
    batch: (statements, transaction) =>
      hold(async (client) => {
        await client.query(beginOf(transaction))
        try {
          const outcomes: Outcome[] = []
          for (const statement of statements) outcomes.push(await step(client, statement))
          await client.query('COMMIT')
          return outcomes
        } catch (error) {
          // On a lost connection the server rolls back by itself.
          if (readSqlError(error)) await client.query('ROLLBACK')
          throw error
        }
      }),
    close: () => pool.end(),
  }
}
