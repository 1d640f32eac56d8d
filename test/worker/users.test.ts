/** Users: made, listed, changed, removed by admins; logged in by their password. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Answer, Gateway } from '../support/gateway.ts'
import { bearer, by, logIn, makeKey, makeUser, passwordOf, tokenOf } from '../support/people.ts'
import { startStack, type Stack } from '../support/stack.ts'

const USERS = '/api/v1/users'

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

describe('a user', () => {
  it('is made, listed, shown, changed and removed, and its password is never shown', async () => {
    const made = await gateway.manage('POST', USERS, {
      username: 'ada',
      password: passwordOf('ada'),
      role: 'admin',
      agentType: 'support',
    })
    expect(made.status).toBe(201)
    expect(made.body).toEqual({
      id: expect.any(String),
      username: 'ada',
      role: 'admin',
      agentType: 'support',
      createdAt: expect.any(String),
    })
    const path = `${USERS}/${made.body.id}`
    expect((await gateway.manage('GET', path)).body).toEqual(made.body)
    expect((await gateway.manage('GET', USERS)).body.items).toContainEqual(made.body)
    const changed = await gateway.manage('PUT', path, { role: 'user', agentType: null })
    expect([changed.status, changed.body.role, changed.body.agentType]).toEqual([200, 'user', undefined])
    expect(changed.headers.get('etag')).toMatch(/^".+"$/)
    expect((await gateway.manage('DELETE', path)).status).toBe(200)
    expect((await gateway.manage('DELETE', path)).status).toBe(404)
    expect((await gateway.manage('GET', path)).body.code).toBe('unknown_user')
    const stored = JSON.stringify(await stack.query('select * from users'))
    expect(stored).not.toContain(passwordOf('ada'))
    expect(stored).toContain('$scrypt$ln=15,r=8,p=1$')
    expect(JSON.stringify(await stack.query('select * from audit_log'))).not.toMatch(/scrypt|password of/)
  })

  it('has a name of its own, which is free again when it is removed', async () => {
    const id = await makeUser(gateway, 'eve')
    const second = await gateway.manage('POST', USERS, { username: 'eve', password: 'long enough' })
    expect([second.status, second.body.code]).toEqual([409, 'duplicate_username'])
    await gateway.manage('DELETE', `${USERS}/${id}`)
    expect(await makeUser(gateway, 'eve')).not.toBe(id)
  })

  it.each([
    ['a short password', { password: '1234567' }, 'password'],
    ['a long password', { password: 'x'.repeat(129) }, 'password'],
    ['an unknown role', { role: 'root' }, 'role'],
    ['a name with a space', { username: 'a b' }, 'username'],
    ['an unknown field', { isAdmin: true }, 'isAdmin'],
  ])('with %s is refused, the field named', async (_, fields, field) => {
    const { status, body } = await gateway.manage('POST', USERS, {
      username: 'new',
      password: 'long enough',
      ...fields,
    })
    expect([status, body.code, body.errors[0].field]).toEqual([400, 'invalid_body', field])
  })

  it('is one of many, listed by pages', async () => {
    for (const name of ['p1', 'p2', 'p3']) await makeUser(gateway, name)
    const first = await gateway.manage('GET', `${USERS}?limit=2`)
    expect(first.body.items).toHaveLength(2)
    const rest = await gateway.manage('GET', `${USERS}?cursor=${first.body.nextCursor}`)
    const names = [...first.body.items, ...rest.body.items].map(({ username }) => username)
    expect(names).toEqual(expect.arrayContaining(['p1', 'p2', 'p3']))
    expect(new Set(names).size).toBe(names.length)
  })
})

describe('a login', () => {
  it('gives a token that uses the endpoint, and manages what the role may', async () => {
    await makeUser(gateway, 'admin-1', { role: 'admin' })
    await makeUser(gateway, 'user-1')
    const { status, body } = await logIn(gateway, { username: 'user-1', password: passwordOf('user-1') })
    expect(status).toBe(200)
    expect(Date.parse(body.expiresAt)).toBeGreaterThan(Date.now() + 11 * 3_600_000)
    expect(await statusOf(lists(body.token))).toBe(200)
    expect(await statusOf(gateway.manage('GET', USERS, undefined, by(body.token)))).toBe(403)
    const admin = await tokenOf(gateway, 'admin-1')
    expect(await statusOf(gateway.manage('GET', USERS, undefined, by(admin)))).toBe(200)
  })

  it('tells nothing of what was wrong', async () => {
    await makeUser(gateway, 'known')
    const answers = await Promise.all([
      logIn(gateway, { username: 'known', password: 'not the password' }),
      logIn(gateway, { username: 'unknown', password: 'not the password' }),
      logIn(gateway, { username: 'known', password: passwordOf('known'), organisation: 'nowhere' }),
    ])
    expect(answers.map(({ status }) => status)).toEqual([401, 401, 401])
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1)
    expect(answers[0]?.body.code).toBe('invalid_login')
  })

  it('opens on another gateway as well', async () => {
    await makeUser(gateway, 'traveller')
    const other = await stack.gateway()
    const token = await tokenOf(other, 'traveller')
    expect(await statusOf(lists(token))).toBe(200)
    expect(await statusOf(other.rpc('tools/list', {}, { headers: bearer(token) }))).toBe(200)
  })
})

describe('F57 a token', () => {
  it('ends with the password that it was given for, and another one works', async () => {
    const id = await makeUser(gateway, 'renewed')
    const token = await tokenOf(gateway, 'renewed')
    expect(await statusOf(lists(token))).toBe(200)
    await gateway.manage('PUT', `${USERS}/${id}`, { password: 'another password' })
    expect(await statusOf(lists(token))).toBe(401)
    const { body } = await logIn(gateway, { username: 'renewed', password: 'another password' })
    expect(await statusOf(lists(body.token))).toBe(200)
  })

  it('and the keys of a user end with the user', async () => {
    const id = await makeUser(gateway, 'leaver')
    const token = await tokenOf(gateway, 'leaver')
    const { key } = await makeKey(gateway, {}, token)
    expect([await statusOf(lists(token)), await statusOf(lists(key))]).toEqual([200, 200])
    await gateway.manage('DELETE', `${USERS}/${id}`)
    expect([await statusOf(lists(token)), await statusOf(lists(key))]).toEqual([401, 401])
  })

  it('manages no more than the role that its user has now', async () => {
    const id = await makeUser(gateway, 'demoted', { role: 'admin' })
    const token = await tokenOf(gateway, 'demoted')
    const { key } = await makeKey(gateway, { role: 'admin' }, token)
    await gateway.manage('PUT', `${USERS}/${id}`, { role: 'user' })
    expect(await statusOf(gateway.manage('GET', USERS, undefined, by(token)))).toBe(403)
    // A key that an admin made stands for itself.
    expect(await statusOf(gateway.manage('GET', USERS, undefined, by(key)))).toBe(200)
  })
})
