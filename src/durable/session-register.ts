/**
 * What must be known of legacy sessions without an object for each: which have one of their own, and which ended
 * without. A few registers hold a row each for the sessions whose names begin alike; one without a row is as it began.
 */
import { DurableObject } from 'cloudflare:workers'
import { LIFETIME_MS } from '../identity/session.ts'

/** `kept`: an object of its own knows all else of the session, also whether it has ended. `ended`: it never had one. */
export type Standing = 'unknown' | 'kept' | 'ended'

const PURGE_EVERY_MS = 3_600_000

/** Sessions are named by name and beginning (epoch ms), which is what tells how long their rows are needed. */
export class SessionRegisterObject extends DurableObject {
  #isPurgePlanned = false

  constructor(ctx: DurableObjectState, env: unknown) {
    super(ctx, env as never)
    // In the order in which sessions begin, so that the old ones are found without reading the others.
    ctx.storage.sql.exec(
      'CREATE TABLE IF NOT EXISTS sessions (began_at INTEGER, name TEXT, standing TEXT NOT NULL, PRIMARY KEY (began_at, name)) WITHOUT ROWID',
    )
  }

  look(name: string, beganAt: number): Standing {
    const [row] = this.ctx.storage.sql
      .exec<{ standing: Standing }>(
        'SELECT standing FROM sessions WHERE began_at = ? AND name = ?',
        beganAt,
        name,
      )
      .toArray()
    return row?.standing ?? 'unknown'
  }

  /** The session is about to have an object of its own, unless it has ended. Gives what was known of it before. */
  keep(name: string, beganAt: number): Promise<Standing> {
    return this.#enter(name, beganAt, 'kept')
  }

  /** The session ends, unless it has an object of its own, which is to end it. Gives what was known of it before. */
  end(name: string, beganAt: number): Promise<Standing> {
    return this.#enter(name, beganAt, 'ended')
  }

  /** Nothing is kept much longer than a session can live. */
  override async alarm(): Promise<void> {
    const { sql } = this.ctx.storage
    const now = Date.now()
    sql.exec('DELETE FROM sessions WHERE began_at <= ?', now - LIFETIME_MS)
    const [oldest] = sql
      .exec<{ began_at: number }>('SELECT began_at FROM sessions ORDER BY began_at LIMIT 1')
      .toArray()
    this.#isPurgePlanned = oldest !== undefined
    if (!oldest) return
    await this.ctx.storage.setAlarm(Math.max(oldest.began_at + LIFETIME_MS, now + PURGE_EVERY_MS))
  }

  async #planPurge(): Promise<void> {
    if (this.#isPurgePlanned) return
    const { storage } = this.ctx
    if ((await storage.getAlarm()) === null) await storage.setAlarm(Date.now() + LIFETIME_MS)
    this.#isPurgePlanned = true
  }

  /** Whatever came first stays. */
  async #enter(name: string, beganAt: number, standing: Exclude<Standing, 'unknown'>): Promise<Standing> {
    await this.#planPurge()
    const entered = this.ctx.storage.sql
      .exec(
        'INSERT INTO sessions VALUES (?, ?, ?) ON CONFLICT DO NOTHING RETURNING name',
        beganAt,
        name,
        standing,
      )
      .toArray()
    return entered.length > 0 ? 'unknown' : this.look(name, beganAt)
  }
}
