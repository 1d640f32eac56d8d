/**
 * PGlite, Postgres in this process, as an engine. It has one session, so every statement and
 * every batch holds the same lock. Speaks the wire protocol to it: the text of a value and the
 * fields of an error arrive as Postgres wrote them.
 */
import { rename, rm, stat } from 'node:fs/promises'
import { PGlite, protocol } from '@electric-sql/pglite'
import { beginOf, marksSession, readSqlError, readTag } from './engine.ts'
import type { Engine, Field, Outcome, Statement } from './engine.ts'
import { lockDirectory } from './lock.ts'
import { createFromTemplate } from './template.ts'

const { serialize, messages } = protocol

const int16 = (value: number): Buffer => Buffer.from([value >> 8, value])
const int32 = (value: number): Buffer => Buffer.concat([int16(value >> 16), int16(value)])

const encodeValue = (value: string | null): Buffer => {
  if (value === null) return int32(-1)
  const bytes = Buffer.from(value)
  return Buffer.concat([int32(bytes.length), bytes])
}

/** `Bind`, all as text. PGlite's own counts the bytes of a value letter by letter, and values may be long. */
const encodeBind = (params: Statement['params']): Buffer => {
  const unnamed = Buffer.from([0, 0])
  const body = Buffer.concat([unnamed, int16(0), int16(params.length), ...params.map(encodeValue), int16(0)])
  return Buffer.concat([Buffer.from('B'), int32(body.length + 4), body])
}

const encodeStatement = ({ query, params }: Statement): Uint8Array =>
  Buffer.concat([
    serialize.parse({ text: query }),
    encodeBind(params),
    serialize.describe({ type: 'P' }),
    serialize.execute({}),
    serialize.sync(),
  ])

const copyField = (field: InstanceType<typeof messages.Field>): Field => ({
  name: field.name,
  tableID: field.tableID,
  columnID: field.columnID,
  dataTypeID: field.dataTypeID,
  dataTypeSize: field.dataTypeSize,
  dataTypeModifier: field.dataTypeModifier,
})

const send = async (db: PGlite, statement: Statement): Promise<Outcome> => {
  let tag = ''
  let fields: Field[] = []
  const rows: (string | null)[][] = []
  const replies = await db.execProtocolStream(encodeStatement(statement), { throwOnError: false })
  for (const reply of replies) {
    if (reply instanceof messages.DatabaseError) throw readSqlError(reply) ?? reply
    if (reply instanceof messages.RowDescriptionMessage) fields = reply.fields.map(copyField)
    if (reply instanceof messages.DataRowMessage) rows.push(reply.fields)
    if (reply instanceof messages.CommandCompleteMessage) tag = reply.text
  }
  return { ...readTag(tag), fields, rows }
}

const order = (query: string): Statement => ({ query, params: [] })

const serve = (db: PGlite, release: () => Promise<void>): Engine => {
  const runAll = async (statements: readonly Statement[]): Promise<Outcome[]> => {
    const outcomes: Outcome[] = []
    try {
      for (const statement of statements) outcomes.push(await send(db, statement))
      return outcomes
    } finally {
      // The one session goes to the next caller: no open transaction, no setting may stay.
      if (db.isInTransaction()) await send(db, order('ROLLBACK'))
      if (outcomes.some(({ command }) => marksSession(command))) await send(db, order('DISCARD ALL'))
    }
  }
  return {
    run: async (statement) => {
      const [outcome] = await db.runExclusive(() => runAll([statement]))
      if (!outcome) throw new Error('PGlite gave no result')
      return outcome
    },
    batch: async (statements, transaction) => {
      const all = [order(beginOf(transaction)), ...statements, order('COMMIT')]
      const outcomes = await db.runExclusive(() => runAll(all))
      return outcomes.slice(1, -1)
    },
    close: async () => {
      await db.close()
      await release()
    },
  }
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  )

/**
 * Opens PGlite on `directory`, created when missing, or in memory when undefined.
 * Rejects when another live process has the directory open: two writers would destroy it.
 * What is committed survives SIGKILL of the process: PGlite writes its log to the file before it
 * answers. It does not fsync, so a power cut may take the last commits. `relaxedDurability` stays
 * off: it is without effect on a directory, and elsewhere it lets an answer overtake its write.
 */
export const openPglite = async (directory?: string): Promise<Engine> => {
  if (directory === undefined) return serve(await createFromTemplate(), async () => {})
  const release = await lockDirectory(directory)
  try {
    if (!(await exists(directory))) {
      // Made aside and renamed: a first start that is interrupted leaves no half-made database.
      const unfinished = `${directory}.unfinished`
      await rm(unfinished, { recursive: true, force: true })
      const fresh = await createFromTemplate(unfinished)
      await fresh.close()
      await rename(unfinished, directory)
    }
    return serve(await PGlite.create(directory), release)
  } catch (error) {
    await release()
    throw error
  }
}
