import { runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { expect, it } from 'vitest'
import { UsageQueue } from '../../src/durable/usage-queue.ts'

/** Runs with the storage of an object that does nothing with it. */
const within = (check: (sql: SqlStorage) => Promise<void>) => {
  const stub = env.SERVICE_GUARD.get(env.SERVICE_GUARD.newUniqueId())
  return runInDurableObject(stub, (_object, { storage }) => check(storage.sql))
}

const record = (id: number, chars = 0): string =>
  JSON.stringify({ id, usage: { tool: 'echo', input: JSON.stringify('é'.repeat(chars)), output: '{}' } })
const bytesIn = (sql: SqlStorage): number =>
  sql.exec<{ bytes: number }>('SELECT coalesce(sum(octet_length(records)), 0) AS bytes FROM usage').one()
    .bytes

it('keeps records that fill more than a row, and hands them on in order, few bytes at once', () =>
  within(async (sql) => {
    const queue = new UsageQueue(sql)
    const records = Array.from({ length: 30 }, (_, at) => record(at, at % 2 === 0 ? 120_000 : 0))
    queue.add(records)
    expect(new UsageQueue(sql).size).toBe(30)
    const handed: string[] = []
    await queue.flush(async (text) => {
      handed.push(text)
      return true
    })
    expect(handed.flatMap((text) => JSON.parse(text).map(({ id }: { id: number }) => id))).toEqual(
      records.map((_, at) => at),
    )
    for (const text of handed)
      expect(new TextEncoder().encode(text).length).toBeLessThan(1_048_576 + 3 * 262_144)
    expect([queue.size, bytesIn(sql)]).toEqual([0, 0])
  }))

it('F59 keeps records without what calls were given and answered where there is little room', () =>
  within(async (sql) => {
    const queue = new UsageQueue(sql)
    const many = Array.from({ length: 40 }, () => record(1, 12_000))
    for (let round = 0; round < 100; round++) queue.add(many)
    expect(bytesIn(sql)).toBeLessThan(67_108_864 + 2_000_000)
    expect([queue.size, queue.dropped]).toEqual([4_000, 0])
    const woken = new UsageQueue(sql)
    woken.add([record(2, 12_000)])
    const { records } = sql
      .exec<{ records: string }>('SELECT records FROM usage ORDER BY seq DESC LIMIT 1')
      .one()
    expect(records).toBe(
      '{"id":2,"usage":{"tool":"echo","input":"{\\"switchyard/leftOut\\":\\"no_room\\"}","output":"{\\"switchyard/leftOut\\":\\"no_room\\"}"}}',
    )
  }))
