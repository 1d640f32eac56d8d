/**
 * A record on its way to the guard: what costs time, such as the digest of the arguments, is done when it is written
 * out, not while its call is answered.
 */
import type { Note } from '../guard/ledger.ts'
import { sha256 } from '../platform/hash.ts'
import { type AuditRecord, auditText, type Particulars } from '../telemetry/audit.ts'
import { type Captured, storable, withoutRoom } from '../telemetry/capture.ts'

/** A record without arguments takes about as much. */
const RECORD_CHARS = 600
/** Arguments that are longer are not held until the guard is told, but digested at once. */
const HELD_CHARS = 2_048

/** `args`: the raw arguments, where there are any. `captured`: what is kept of the call where there is room. */
export function noteOf(record: AuditRecord, args: string | undefined, captured?: Captured): Note {
  const isHeld = args !== undefined && args.length <= HELD_CHARS
  return isHeld ? noteHeld(record, args, captured) : noteDigested(record, args, captured)
}

const noteHeld = (record: AuditRecord, args: string, captured: Captured | undefined): Note => ({
  chars: RECORD_CHARS + args.length + (captured?.output?.length ?? 0),
  write: async () => written(record, await digest(args), captured),
  bare: () => noteFound(record, digest(args), captured && emptied(captured)),
})

function noteDigested(record: AuditRecord, args: string | undefined, captured: Captured | undefined): Note {
  const found = args === undefined ? NO_ARGUMENTS : digest(args)
  const note = noteFound(record, found, captured)
  return captured ? { ...note, bare: () => noteFound(record, found, emptied(captured)) } : note
}

/** In a function of its own, so that it holds no arguments but those that are captured. */
const noteFound = (record: AuditRecord, found: Found, captured: Captured | undefined): Note => ({
  chars: RECORD_CHARS + (captured?.output?.length ?? 0),
  write: async () => written(record, await found, captured),
})

type Found = Particulars | Promise<Particulars>

const NO_ARGUMENTS: Particulars = { requestBytes: 0 }

const emptied = ({ input, output }: Captured): Captured => ({
  input: withoutRoom(input),
  output: withoutRoom(output),
})

const written = (record: AuditRecord, found: Particulars, captured: Captured | undefined): string =>
  auditText(record, { ...found, input: storable(captured?.input), output: storable(captured?.output) })

async function digest(args: string): Promise<Particulars> {
  const bytes = new TextEncoder().encode(args)
  return { argsHash: (await sha256(bytes)).slice(0, 32), requestBytes: bytes.length }
}
