/**
 * What the local Upstash endpoint asks of a Redis: commands in, replies out, as Redis has them.
 * Knows neither HTTP nor an engine.
 */

/** A Redis reply: a string as text or as its bytes, an integer, nil, or a list of them. */
export type Reply = string | Uint8Array | number | null | readonly Reply[]

/** One command, name first. */
export type Command = readonly string[]

/** What one command gave: its reply, or the error line that Redis answered. */
export type CommandResult = { readonly reply: Reply } | { readonly error: string }

/** What a transaction gave: a result per command, or why none of them ran. */
export type TransactionResult = { readonly results: readonly CommandResult[] } | { readonly error: string }

/** A Redis. It rejects only when the server cannot be reached: what Redis refuses is a result. */
export interface RedisEngine {
  call(command: Command): Promise<CommandResult>
  /** Runs all with nothing in between (MULTI/EXEC); a command Redis would not queue voids all. */
  transact(commands: readonly Command[]): Promise<TransactionResult>
  close(): Promise<void>
}

/**
 * A driver's value as a reply. Drivers make objects of hashes, where Redis has a flat list; scripts
 * give booleans, where Redis has 1 and nil; a fraction is text, as Redis has integers only.
 */
export const readReply = (value: unknown): Reply => {
  if (value === null || value === undefined || value === false) return null
  if (value === true) return 1
  if (typeof value === 'string' || value instanceof Uint8Array) return value
  if (typeof value === 'number') return Number.isInteger(value) ? value : String(value)
  if (Array.isArray(value)) return value.map(readReply)
  return typeof value === 'object' ? Object.entries(value).flat().map(readReply) : String(value)
}
