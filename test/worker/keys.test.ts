/** API keys: shown once, found by their prefix, limited, revoked; and who may make which. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Answer, eventually, type Gateway, TOKEN } from '../support/gateway.ts'
import { bearer, by, makeKey, makeUser, tokenOf } from '../support/people.ts'
import { startStack, type Stack } from '../support/stack.ts'

const KEYS = '/api/v1/keys'

let stack: Stack
let gateway: Gateway
beforeAll(async () => {
  stack = await startStack()
  gateway = await stack.gateway()
})
afterAll(() => stack.close())

const lists = (credential: string): Promise<Answer> =>
  gateway.rpc('tools/list', {}, { headers: bearer(credential) })
const statusOf = async (answer: Promise<Answer>): Promise<number> => (await answer).status
const manage = (credential: string, method: string, path: string, body?: object): Promise<Answer> =>
  gateway.manage(method, path, body, by(credential))
const idsOf = ({ body }: Answer): string[] => body.items.map(({ id }: { id: string }) => id)

describe('a key', () => {
  it('is shown once, kept as its digest, found by its prefix, revoked once', async () => {
    const made = await gateway.manage('POST', KEYS, {
      name: 'agent',
      role: 'user',
      agentType: 'support',
      scopes: ['read', 'mcp:write'],
      expiresAt: '2099-01-01T00:00:00Z',
    })
    expect(made.status).toBe(201)
    const { key, ...shown } = made.body
    expect(key).toMatch(/^sy_[A-Za-z0-9_-]{43}$/)
    expect(shown).toEqual({
      id: expect.any(String),
      name: 'agent',
      prefix: key.slice(0, 11),
      role: 'user',
      agentType: 'support',
      scopes: ['mcp:read', 'mcp:write'],
      createdAt: expect.any(String),
      expiresAt: '2099-01-01T00:00:00.000Z',
    })
    expect(await statusOf(lists(key))).toBe(200)
    const found = await gateway.manage('GET', `${KEYS}?prefix=${shown.prefix}`)
    expect(idsOf(found)).toEqual([shown.id])
    expect(found.text).not.toContain(key)
    expect(found.text).not.toContain('hash')
    for (const table of ['api_keys', 'audit_log'])
      expect(JSON.stringify(await stack.query(`select * from ${table}`))).not.toContain(key)
    expect((await gateway.manage('DELETE', `${KEYS}/${shown.id}`)).status).toBe(200)
    expect((await gateway.manage('DELETE', `${KEYS}/${shown.id}`)).status).toBe(404)
    expect(await statusOf(lists(key))).toBe(401)
  })

  it('is good until it expires', async () => {
    const expiresAt = new Date(Date.now() + 2_000).toISOString()
    const { key } = await makeKey(gateway, { expiresAt })
    expect(await statusOf(lists(key))).toBe(200)
    await eventually(5_000, async () => expect(await statusOf(lists(key))).toBe(401))
    expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(expiresAt))
  })

  it('shows when it was used last, and that is written down at most once a minute', async () => {
    const { id, key } = await makeKey(gateway)
    const [before] = (await gateway.manage('GET', `${KEYS}?prefix=${key.slice(0, 11)}`)).body.items
    expect(before.lastUsedAt).toBeUndefined()
    const versionOf = async () => (await stack.query('select version from directory_version'))[0]?.['version']
    const version = await versionOf()
    await lists(key)
    const lastUse = async (): Promise<string> => {
      const { body } = await gateway.manage('GET', `${KEYS}?prefix=${key.slice(0, 11)}`)
      return body.items[0].lastUsedAt
    }
    await eventually(5_000, async () => expect(Date.parse(await lastUse())).toBeGreaterThan(0))
    await stack.query(`update api_keys set last_used_at = '2000-01-01T00:00:00Z' where id = '${id}'`)
    for (let at = 0; at < 20; at++) await lists(key)
    await stack.quiet()
    expect(await lastUse()).toBe('2000-01-01T00:00:00.000Z')
    expect(await versionOf()).toBe(version)
  })

  it.each([
    ['an unknown scope', { scopes: ['mcp:fly'] }, /mcp:read, mcp:write, mcp:admin/],
    ['no scope at all', { scopes: [] }, /scopes/],
    ['a time that is over', { expiresAt: '2020-01-01T00:00:00Z' }, /in the future/],
    ['no time', { expiresAt: 'tomorrow' }, /2030-01-31T12:00:00Z/],
    ['an unknown field', { userId: 'x' }, /userId: is not a known field/],
  ])('with %s is refused', async (_, fields, detail) => {
    const { status, body } = await gateway.manage('POST', KEYS, { name: 'bad', ...fields })
    expect([status, body.code]).toEqual([400, 'invalid_body'])
    expect(body.detail).toMatch(detail)
  })
})

describe('who manages keys', () => {
  it('an admin key: all of its organisation, unless its scopes say less', async () => {
    const admin = await makeKey(gateway, { role: 'admin' })
    const other = await makeKey(gateway)
    expect(idsOf(await manage(admin.key, 'GET', `${KEYS}?limit=1000`))).toContain(other.id)
    expect(await statusOf(manage(admin.key, 'DELETE', `${KEYS}/${other.id}`))).toBe(200)
    for (const scopes of [['mcp:read'], ['mcp:write']]) {
      const limited = await makeKey(gateway, { role: 'admin', scopes })
      for (const path of ['/api/v1/users', KEYS, '/api/v1/servers', '/api/v1/organisations'])
        expect([path, await statusOf(manage(limited.key, 'GET', path))]).toEqual([path, 403])
      expect(await statusOf(lists(limited.key))).toBe(200)
    }
  })

  it('a key of role user: itself, and it makes none', async () => {
    const own = await makeKey(gateway)
    const other = await makeKey(gateway)
    expect(idsOf(await manage(own.key, 'GET', KEYS))).toEqual([own.id])
    expect(await statusOf(manage(own.key, 'POST', KEYS, { name: 'more' }))).toBe(403)
    expect(await statusOf(manage(own.key, 'DELETE', `${KEYS}/${other.id}`))).toBe(404)
    for (const path of ['/api/v1/users', '/api/v1/servers', '/api/v1/organisations', '/api/v1/permissions'])
      expect(await statusOf(manage(own.key, 'GET', path))).toBe(403)
    expect(await statusOf(manage(own.key, 'DELETE', `${KEYS}/${own.id}`))).toBe(200)
    expect(await statusOf(lists(own.key))).toBe(401)
  })

  it('a user: its own, with no more than it has itself', async () => {
    await makeUser(gateway, 'owner', { agentType: 'support' })
    await makeUser(gateway, 'neighbour')
    const token = await tokenOf(gateway, 'owner')
    const neighbours = await makeKey(gateway, {}, await tokenOf(gateway, 'neighbour'))
    const own = await makeKey(gateway, { scopes: ['mcp:admin'] }, token)
    expect(idsOf(await manage(token, 'GET', KEYS))).toEqual([own.id])
    expect(await statusOf(manage(token, 'DELETE', `${KEYS}/${neighbours.id}`))).toBe(404)
    expect(await statusOf(lists(neighbours.key))).toBe(200)
    for (const more of [{ role: 'admin' }, { agentType: 'finance' }]) {
      const refused = await manage(token, 'POST', KEYS, { name: 'more', ...more })
      expect([refused.status, refused.body.errors[0].field]).toEqual([403, Object.keys(more)[0]])
    }
    expect(await statusOf(manage(token, 'POST', KEYS, { name: 'same', agentType: 'support' }))).toBe(201)
  })

  it('a key of a user: what its scopes leave of that', async () => {
    await makeUser(gateway, 'scoped', { role: 'admin' })
    const admin = await tokenOf(gateway, 'scoped')
    await makeUser(gateway, 'plain')
    const token = await tokenOf(gateway, 'plain')
    const narrow = await makeKey(gateway, { scopes: ['mcp:write'] }, token)
    expect(await statusOf(manage(narrow.key, 'GET', KEYS))).toBe(403)
    expect(await statusOf(manage(narrow.key, 'POST', KEYS, { name: 'wide' }))).toBe(403)
    const wide = await makeKey(gateway, { scopes: ['admin'] }, token)
    const heir = await manage(wide.key, 'POST', KEYS, { name: 'heir' })
    expect([heir.status, heir.body.scopes]).toEqual([201, ['mcp:admin']])
    expect(await statusOf(manage(admin, 'DELETE', `${KEYS}/${heir.body.id}`))).toBe(200)
  })

  it('the static bearer token: none, whatever services it manages', async () => {
    const headers = bearer(TOKEN)
    const ask = (method: string, path: string): Promise<Answer> => gateway.fetch(path, { method, headers })
    expect(await statusOf(ask('GET', '/api/v1/servers'))).toBe(200)
    for (const path of ['users', 'keys', 'organisations', 'permissions', 'audit']) {
      expect([path, await statusOf(ask('GET', `/api/v1/${path}`))]).toEqual([path, 403])
      expect([path, await statusOf(ask('POST', `/api/v1/${path}`))]).toEqual([path, 403])
    }
  })
})
