/**
 * What changes in the life of a legacy session and must be known to every isolate: its sessions with upstreams,
 * log level, subscriptions, the answers to what its client was asked, and the listening stream with the events
 * that were sent on it. Everything is in SQLite, so that eviction loses nothing but open connections.
 */
import { DurableObject } from 'cloudflare:workers'
import { LIFETIME_MS } from '../identity/session.ts'
import type { Listener, Upstreams } from '../mcp/memory.ts'
import type { Dialect } from '../upstream/connection.ts'
import { EventLog } from './event-log.ts'
import { Questions } from './question.ts'
import { SessionListener } from './session-listener.ts'
import type { FullState, ListenerPorts } from './session-sources.ts'

export class ClientSessionObject extends DurableObject {
  readonly #log: EventLog
  readonly #questions: Questions
  readonly #listener: SessionListener

  constructor(ctx: DurableObjectState, env: unknown, ports: ListenerPorts) {
    super(ctx, env as never)
    const { sql } = ctx.storage
    sql.exec('CREATE TABLE IF NOT EXISTS upstreams (service_id TEXT PRIMARY KEY, dialect TEXT NOT NULL)')
    sql.exec(
      'CREATE TABLE IF NOT EXISTS subscriptions (service_id TEXT, uri TEXT, PRIMARY KEY (service_id, uri))',
    )
    sql.exec('CREATE TABLE IF NOT EXISTS facts (key TEXT PRIMARY KEY, value TEXT NOT NULL)')
    this.#log = new EventLog(sql)
    this.#questions = new Questions(sql)
    this.#listener = new SessionListener(ports, {
      log: this.#log,
      state: () => this.state(),
      keepUpstream: (serviceId, dialect) => this.keepUpstream(serviceId, dialect),
      background: (work) => ctx.waitUntil(work),
    })
  }

  state(): FullState {
    const { sql } = this.ctx.storage
    const upstreams = sql.exec<{ service_id: string; dialect: string }>('SELECT * FROM upstreams').toArray()
    const subscriptions = sql
      .exec<{ service_id: string; uri: string }>('SELECT * FROM subscriptions')
      .toArray()
    return {
      isEnded: this.#fact('ended') !== undefined,
      logLevel: this.#fact('level'),
      upstreams: Object.fromEntries(upstreams.map((row) => [row.service_id, JSON.parse(row.dialect)])),
      subscriptions: subscriptions.map((row) => ({ serviceId: row.service_id, uri: row.uri })),
    }
  }

  /** The session to use with this upstream: the one that was there first. `undefined`: this session has ended. */
  async keepUpstream(serviceId: string, dialect: Dialect): Promise<Dialect | undefined> {
    await this.#touch()
    const { isEnded, upstreams } = this.state()
    if (isEnded) return undefined
    const known = upstreams[serviceId]
    if (!known) {
      this.ctx.storage.sql.exec('INSERT INTO upstreams VALUES (?, ?)', serviceId, JSON.stringify(dialect))
      this.#listener.changed()
    }
    await this.#listener.heard()
    return known ?? dialect
  }

  loseUpstream(serviceId: string, sessionId: string | undefined): void {
    if (this.state().upstreams[serviceId]?.sessionId !== sessionId) return
    this.ctx.storage.sql.exec('DELETE FROM upstreams WHERE service_id = ?', serviceId)
    this.#listener.changed()
  }

  /** The upstream sessions that have to be told; one that is just being opened is among them. */
  async setLogLevel(level: string): Promise<Upstreams> {
    await this.#touch()
    this.ctx.storage.sql.exec("INSERT OR REPLACE INTO facts VALUES ('level', ?)", level)
    await this.#listener.joined
    return this.state().upstreams
  }

  async subscribe(serviceId: string, uri: string): Promise<void> {
    await this.#touch()
    this.ctx.storage.sql.exec('INSERT OR IGNORE INTO subscriptions VALUES (?, ?)', serviceId, uri)
    this.#listener.changed()
    await this.#listener.heard()
  }

  unsubscribe(serviceId: string, uri: string): void {
    this.ctx.storage.sql.exec('DELETE FROM subscriptions WHERE service_id = ? AND uri = ?', serviceId, uri)
    this.#listener.changed()
  }

  /** An answer of the client to one part of a question. `false`: nobody asked, or it is answered already. */
  async answer(question: string, key: string, outcome: string): Promise<boolean> {
    await this.#touch()
    return this.#questions.answer(question, key, outcome)
  }

  /** The answers to all parts, by key; `undefined` when they do not come in time. */
  async collect(
    question: string,
    keys: readonly string[],
    timeoutMs: number,
  ): Promise<Record<string, string> | undefined> {
    await this.#touch()
    return await this.#questions.collect(question, keys, timeoutMs)
  }

  /** Ends the session for good. Its upstream sessions are handed over, to be ended as well. */
  async end(): Promise<Upstreams> {
    const { upstreams } = this.state()
    this.#listener.close()
    const { sql } = this.ctx.storage
    for (const table of ['upstreams', 'subscriptions', 'facts']) sql.exec(`DELETE FROM ${table}`)
    this.#log.clear()
    sql.exec("INSERT INTO facts VALUES ('ended', 'true')")
    await this.#touch()
    return upstreams
  }

  /** Opens the listening stream; the body says who listens. */
  override async fetch(request: Request): Promise<Response> {
    await this.#touch()
    return await this.#listener.open(await request.json<Listener>())
  }

  /** Nothing is kept longer than the session can live. */
  override async alarm(): Promise<void> {
    this.#listener.close()
    await this.ctx.storage.deleteAll()
  }

  async #touch(): Promise<void> {
    if ((await this.ctx.storage.getAlarm()) === null) {
      await this.ctx.storage.setAlarm(Date.now() + LIFETIME_MS)
    }
  }

  #fact(key: string): string | undefined {
    const [row] = this.ctx.storage.sql
      .exec<{ value: string }>('SELECT value FROM facts WHERE key = ?', key)
      .toArray()
    return row?.value
  }
}
