/** Organisations: made by admins of the default one, each with users, keys and services of its own; suspended. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Answer, eventually, type Gateway } from '../support/gateway.ts'
import {
  bearer,
  by,
  logIn,
  makeKey,
  makeOrganisation,
  makeUser,
  passwordOf,
  tokenOf,
} from '../support/people.ts'
import { startStack, type Stack } from '../support/stack.ts'

const ORGANISATIONS = '/api/v1/organisations'

let stack: Stack
let gateway: Gateway
beforeAll(async () => {
  stack = await startStack()
  gateway = await stack.gateway()
})
afterAll(() => stack.close())

const manage = (credential: string, method: string, path: string, body?: object): Promise<Answer> =>
  gateway.manage(method, path, body, by(credential))

describe('an organisation', () => {
  it('is made with a key for its first admin, listed, renamed', async () => {
    const made = await gateway.manage('POST', ORGANISATIONS, { id: 'acme', name: 'Acme' })
    expect(made.status).toBe(201)
    expect(made.body).toMatchObject({ id: 'acme', name: 'Acme', isSuspended: false })
    expect(made.body.adminKey).toMatchObject({ role: 'admin', key: expect.stringMatching(/^sy_/) })
    const again = await gateway.manage('POST', ORGANISATIONS, { id: 'acme', name: 'Acme' })
    expect([again.status, again.body.code]).toEqual([409, 'duplicate_organisation'])
    const renamed = await gateway.manage('PUT', `${ORGANISATIONS}/acme`, { name: 'Acme Inc.' })
    expect([renamed.status, renamed.body.name]).toEqual([200, 'Acme Inc.'])
    const { items } = (await gateway.manage('GET', ORGANISATIONS)).body
    expect(items.map(({ id }: { id: string }) => id)).toEqual(['default', 'acme'])
    const { key } = made.body.adminKey
    expect((await manage(key, 'GET', '/api/v1/users')).body.items).toEqual([])
    for (const [method, path] of [
      ['GET', ''],
      ['POST', ''],
      ['GET', '/acme'],
      ['PUT', '/acme'],
    ] as const)
      expect((await manage(key, method, `${ORGANISATIONS}${path}`)).status).toBe(403)
  })

  it('has user names of its own, and its users log in to it', async () => {
    const admin = await makeOrganisation(gateway, 'names')
    await makeUser(gateway, 'same')
    await makeUser(gateway, 'same', { password: 'another password' }, admin)
    const own = { username: 'same', password: 'another password' }
    expect((await logIn(gateway, { ...own, organisation: 'names' })).status).toBe(200)
    expect((await logIn(gateway, own)).status).toBe(401)
  })

  it('the default one is never suspended, and one that there is not is unknown', async () => {
    const refused = await gateway.manage('PUT', `${ORGANISATIONS}/default`, { isSuspended: true })
    expect([refused.status, refused.body.errors[0].field]).toEqual([400, 'isSuspended'])
    const unknown = await gateway.manage('PUT', `${ORGANISATIONS}/nowhere`, { isSuspended: true })
    expect([unknown.status, unknown.body.code]).toEqual([404, 'unknown_organisation'])
  })
})

it('B35 callers of a suspended organisation are told so, without a challenge, until it is served again', async () => {
  const admin = await makeOrganisation(gateway, 'late-payer')
  const organisation = 'late-payer'
  await makeUser(gateway, 'bob', {}, admin)
  const { key } = await makeKey(gateway, {}, admin)
  const token = await tokenOf(gateway, 'bob', { organisation })
  const other = await stack.gateway()
  const ask = (at: Gateway, credential: string): Promise<Answer> =>
    at.rpc('tools/list', {}, { headers: bearer(credential) })
  for (const credential of [admin, key, token]) expect((await ask(other, credential)).status).toBe(200)
  await gateway.manage('PUT', `${ORGANISATIONS}/late-payer`, { isSuspended: true })
  const expectDenied = ({ status, text, headers }: Answer): void => {
    expect([status, text]).toEqual([403, '{"error":"access_denied"}'])
    expect(headers.get('www-authenticate')).toBeNull()
  }
  for (const credential of [admin, key, token]) {
    expectDenied(await ask(gateway, credential))
    await eventually(2_000, async () => expectDenied(await ask(other, credential)))
  }
  expectDenied(await manage(admin, 'GET', '/api/v1/users'))
  const login = await logIn(gateway, { username: 'bob', password: passwordOf('bob'), organisation })
  expect([login.status, login.body.code]).toEqual([403, 'access_denied'])
  await gateway.manage('PUT', `${ORGANISATIONS}/late-payer`, { isSuspended: false })
  for (const credential of [admin, key, token]) expect((await ask(gateway, credential)).status).toBe(200)
})
