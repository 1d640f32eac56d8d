/** Logs: one JSON line a record, nothing that was not put there by name. The only place that writes to the console. */
import type { LogLevel } from '../platform/settings.ts'

const RANK: Record<LogLevel, number> = { debug: 0, info: 1, warn: 2, error: 3 }

/** Beyond what JSON escapes: what ends a line for some readers, and what terminals obey or hide (S61). */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu

type Fields = Readonly<Record<string, unknown>>

/** A function of the fields is called where the line is written at all. */
export type Log = (level: LogLevel, event: string, fields?: Fields | (() => Fields)) => void

export function openLog(least: LogLevel): Log {
  return (level, event, fields = {}) => {
    if (RANK[level] < RANK[least]) return
    const said = typeof fields === 'function' ? fields() : fields
    const line = JSON.stringify({ level, event, ...said }).replace(UNPRINTABLE, escapeUnits)
    if (level === 'error' || level === 'warn') console.error(line)
    else console.log(line)
  }
}

/** As JSON spells them. */
const escapeUnits = (char: string): string =>
  [...Array(char.length).keys()]
    .map((at) => `\\u${char.charCodeAt(at).toString(16).padStart(4, '0')}`)
    .join('')
