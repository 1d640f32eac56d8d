/** What `switchyard doctor` finds where something is broken on purpose. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { API_KEY, eventually, type Gateway } from '../support/gateway.ts'
import { startStack, type Stack } from '../support/stack.ts'
import { startUpstream, type Upstream } from '../support/upstream.ts'
import { openShell, type Shell } from './shell.ts'

let stack: Stack
let gateway: Gateway
let upstream: Upstream
let shell: Shell

beforeAll(async () => {
  stack = await startStack()
  gateway = await stack.gateway()
  upstream = await startUpstream()
  shell = await openShell({ SWITCHYARD_URL: gateway.url, SWITCHYARD_API_KEY: API_KEY })
  await gateway.register('first', upstream.url)
})
afterAll(async () => {
  await stack.close()
  await upstream.stop()
  await shell.close()
})

/** Exit code, and the findings by what was checked. */
async function examine(args: string[] = [], env: Record<string, string> = {}): Promise<[number | null, any]> {
  const { code, stdout } = await shell.run(['doctor', '--json', ...args], { env })
  const { items } = JSON.parse(stdout)
  return [code, Object.fromEntries(items.map((each: any) => [each.check, each]))]
}

describe('switchyard doctor', () => {
  it('finds nothing where all is well', async () => {
    const [code, found] = await examine()
    expect(code).toBe(0)
    for (const check of ['gateway', 'database', 'cache', 'credential', 'schema', 'versions', 'first'])
      expect(found[check]?.verdict, check).toBe('ok')
    expect(found.versions.detail).toContain('2026-07-28, 2025-11-25')
    expect(found.browsers.verdict).toBe('note')
  })

  it('says whether the pages of an origin may connect', async () => {
    const [code, { browsers }] = await examine(['--origin', 'https://ok.example'])
    expect([code, browsers.verdict]).toEqual([0, 'ok'])
    const refused = await shell.run(['doctor', '--origin', 'https://no.example'])
    expect(refused.code).toBe(1)
    expect(refused.stdout).toContain('Add https://no.example to ALLOWED_ORIGINS.')
  })

  it('finds a credential that is missing, unknown or too weak', async () => {
    const [none, missing] = await examine([], { SWITCHYARD_API_KEY: '' })
    expect([none, missing.credential.detail]).toEqual([1, 'There is none.'])
    const [unknown, { credential }] = await examine([], { SWITCHYARD_API_KEY: 'sy_nope' })
    expect([unknown, credential.advice]).toEqual([1, 'Run: switchyard login'])
    const weak = await shell.json(['keys', 'create', 'weak'])
    expect((await examine([], { SWITCHYARD_API_KEY: weak.key }))[1].credential.verdict).toBe('warning')
  })

  it('finds a service that is away, and tools that are withheld', async () => {
    await upstream.stop()
    await gateway.manage('POST', '/api/v1/servers/first/refresh')
    const [code, found] = await examine()
    expect([code, found.first.verdict]).toEqual([1, 'wrong'])
    expect(found.first.advice).toContain('services refresh first')
    upstream.offer.tools[0] = upstream.offer.tools[0]?.replace('The tool', 'The\u200Btool') ?? ''
    await upstream.start()
    await gateway.manage('POST', '/api/v1/servers/first/refresh')
    const [again, { first }] = await examine()
    expect([again, first.verdict]).toEqual([0, 'warning'])
    expect(first.detail).toMatch(/^withheld from callers: echo \(/)
  })

  it('finds a cache that is away', async () => {
    stack.cache.takeAway()
    // What answered a moment ago may still count as reachable.
    await eventually(10_000, async () => {
      const [code, { cache, database }] = await examine()
      expect([code, cache.verdict, database.verdict]).toEqual([1, 'wrong', 'ok'])
      expect(cache.advice).toContain('UPSTASH_REDIS_REST_URL')
    })
    stack.cache.giveBack()
  })

  it('finds a database that was not migrated', async () => {
    await stack.query('alter table audit_log rename to audit_log_away')
    const [code, { schema }] = await examine()
    await stack.query('alter table audit_log_away rename to audit_log')
    expect([code, schema.verdict]).toEqual([1, 'wrong'])
    expect(schema.advice).toContain('npm run db:migrate')
  })

  it('finds a database that is away', async () => {
    stack.database.takeAway()
    await eventually(10_000, async () => {
      const [code, { database }] = await examine()
      expect([code, database.verdict]).toEqual([1, 'wrong'])
    })
    stack.database.giveBack()
  })

  it('finds a gateway without its secrets, and none at all', async () => {
    const bare = await stack.gateway({ JWT_SECRET: undefined })
    const [code, found] = await examine(['--url', bare.url])
    expect([code, found.gateway.advice]).toEqual([1, expect.stringContaining('not_configured')])
    const gone = await shell.run(['doctor', '--url', 'http://127.0.0.1:2'])
    expect(gone.code).toBe(1)
    expect(gone.stdout).toContain('✗ gateway: Nothing listens at http://127.0.0.1:2.')
    expect(gone.stderr).toBe('One thing is wrong.\n')
  })
})
