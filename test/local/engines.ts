/**
 * The engines a contract suite runs against: the embedded one always, a real server when its
 * address is set. Where both must be there (`CI`), a missing address is a failing test.
 */
import { describe, expect, test } from 'vitest'
import { openPostgres } from '../../local/postgres/postgres.ts'

/** Runs `suite` once per engine; `open` gets undefined for the embedded one. */
export const describeEngines = (
  embedded: string,
  variable: 'TEST_DATABASE_URL' | 'TEST_REDIS_URL',
  suite: (url: string | undefined) => void,
): void => {
  const url = process.env[variable]
  describe(embedded, () => suite(undefined))
  if (url) describe(variable, () => suite(url))
  else if (process.env['CI']) {
    test(`${variable} is set where CI runs`, () => expect.fail(`set ${variable}`))
  }
}

/** A name no other run uses. */
export const uniqueName = (prefix: string): string => `${prefix}_${crypto.randomUUID().replaceAll('-', '')}`

/** A database of its own on that server, until it is dropped. */
export async function createDatabase(url: string): Promise<{ url: string; drop: () => Promise<void> }> {
  const name = uniqueName('test')
  const server = await openPostgres(url)
  await server.run({ query: `CREATE DATABASE ${name}`, params: [] })
  const own = new URL(url)
  own.pathname = `/${name}`
  return {
    url: own.href,
    drop: async () => {
      await server.run({ query: `DROP DATABASE ${name} WITH (FORCE)`, params: [] })
      await server.close()
    },
  }
}
