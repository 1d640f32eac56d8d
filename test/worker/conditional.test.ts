/** Writes that say what they were decided on (If-Match), and writes at the same moment: two gateways on one database. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openPglite } from '../../local/postgres/pglite.ts'
import { openPostgres } from '../../local/postgres/postgres.ts'
import { createDatabase, describeEngines } from '../local/engines.ts'
import type { Answer, Gateway } from '../support/gateway.ts'
import { makeOrganisation, makeUser } from '../support/people.ts'
import { startStack, type Stack } from '../support/stack.ts'
import { startUpstream, type Upstream } from '../support/upstream.ts'

const SHOP = '/api/v1/servers/shop'

/** A thing, how it is written, and what may be written of it, each value once. */
type Thing = {
  readonly what: string
  readonly path: () => string
  readonly write: (turn: number) => readonly [method: string, path: string, body: unknown]
  readonly read: (body: any) => unknown
}

describeEngines('PGlite', 'TEST_DATABASE_URL', (url) => {
  let stack: Stack
  let gateways: readonly [Gateway, Gateway]
  let upstream: Upstream
  let user: string
  const ends: (() => Promise<void>)[] = []

  beforeAll(async () => {
    const database = url === undefined ? undefined : await createDatabase(url)
    if (database) ends.push(database.drop)
    stack = await startStack(() => (database ? openPostgres(database.url) : openPglite()))
    gateways = [await stack.gateway(), await stack.gateway()]
    upstream = await startUpstream({ tools: [{ name: 'buy', inputSchema: { type: 'object' } }] })
    await gateways[0].register('shop', upstream.url)
    await makeOrganisation(gateways[0], 'acme')
    user = await makeUser(gateways[0], 'ada')
    await gateways[0].manage('POST', '/api/v1/toolsets', { slug: 'few', tools: ['buy'] })
    await gateways[0].manage('PUT', '/api/v1/permissions', { agentType: 'z', tool: '*', allowed: true })
  })
  afterAll(async () => {
    await stack.close()
    await upstream.stop()
    for (const end of ends) await end()
  })

  const at = (turn: number): Gateway => gateways[turn % 2 === 0 ? 0 : 1]
  const tagAt = async (path: string): Promise<string> =>
    String((await gateways[0].manage('GET', path)).headers.get('etag'))
  const put = (path: string, body: unknown, match?: string, turn = 0): Promise<Answer> =>
    at(turn).manage('PUT', path, body, match === undefined ? {} : { 'if-match': match })
  const problemOf = ({ status, body }: Answer) => [status, body.code]

  const things: readonly Thing[] = [
    {
      what: 'service',
      path: () => SHOP,
      write: (turn) => ['PUT', SHOP, { timeoutMs: 1_000 + turn }],
      read: (body) => body.timeoutMs - 1_000,
    },
    {
      what: 'tool',
      path: () => '/api/v1/tools/shop/buy',
      write: (turn) => ['PATCH', '/api/v1/tools/shop/buy', { timeoutMs: 1_000 + turn }],
      read: (body) => body.timeoutMs - 1_000,
    },
    {
      what: 'toolset',
      path: () => '/api/v1/toolsets/few',
      write: (turn) => ['PUT', '/api/v1/toolsets/few', { tools: [`t${turn}`] }],
      read: (body) => Number(body.tools[0].slice(1)),
    },
    {
      what: 'user',
      path: () => `/api/v1/users/${user}`,
      write: (turn) => ['PUT', `/api/v1/users/${user}`, { agentType: `t${turn}` }],
      read: (body) => Number(body.agentType.slice(1)),
    },
    {
      what: 'organisation',
      path: () => '/api/v1/organisations/acme',
      write: (turn) => ['PUT', '/api/v1/organisations/acme', { name: `t${turn}` }],
      read: (body) => Number(body.name.slice(1)),
    },
    {
      what: 'permissions',
      path: () => '/api/v1/permissions',
      write: (turn) => ['PUT', '/api/v1/permissions', { agentType: `t${turn}`, tool: '*', allowed: true }],
      read: ({ items }) => Number(items[0].agentType.slice(1)),
    },
  ]

  describe.each(things)('a $what', ({ path, write, read }) => {
    const send = (turn: number, match?: string): Promise<Answer> => {
      const [method, to, body] = write(turn)
      return at(turn).manage(method, to, body, match === undefined ? {} : { 'if-match': match })
    }

    it('is changed by one of many who read the same', async () => {
      const tag = await tagAt(path())
      expect(tag).toMatch(/^"[\w-]{22}"$/)
      const turns = [1, 2, 3, 4, 5, 6]
      const answers = await Promise.all(turns.map((turn) => send(turn, tag)))
      const won = turns.filter((_, index) => answers[index]?.status === 200)
      expect(won).toHaveLength(1)
      const lost = answers.filter(({ status }) => status !== 200)
      expect(lost.map(problemOf)).toEqual(lost.map(() => [412, 'changed_meanwhile']))
      for (const gateway of gateways) {
        const now = await gateway.manage('GET', path())
        expect(read(now.body)).toBe(won[0])
        expect(now.headers.get('etag')).not.toBe(tag)
      }
    })

    it('has in every answer the tag that the next write may name', async () => {
      const tag = await tagAt(path())
      const changed = await send(7, tag)
      expect(changed.status).toBe(200)
      const next = String(changed.headers.get('etag'))
      expect([next === tag, next === (await tagAt(path()))]).toEqual([false, true])
      expect(problemOf(await send(8, tag))).toEqual([412, 'changed_meanwhile'])
      expect(await tagAt(path())).toBe(next)
      expect((await send(8, next)).status).toBe(200)
    })
  })

  describe('If-Match', () => {
    it('may be any of a list, or *', async () => {
      const tag = await tagAt(SHOP)
      for (const match of [`"other", ${tag}`, `,${tag} ,"a,b"`, '*']) {
        expect((await put(SHOP, {}, match)).status).toBe(200)
      }
    })

    it('is never a weak tag (RFC 9110, section 13.1.1)', async () => {
      expect(problemOf(await put(SHOP, {}, `W/${await tagAt(SHOP)}`))).toEqual([412, 'changed_meanwhile'])
    })

    it.each(['abc', '"a" "b"', '"a', '*, "a"', 'w/"a"'])('of %j is a bad header', async (match) => {
      const answer = await put(SHOP, {}, match)
      expect(problemOf(answer)).toEqual([400, 'invalid_header'])
      expect(answer.body.errors[0].field).toBe('If-Match')
    })

    it('says nothing of what is not there', async () => {
      expect((await put('/api/v1/servers/nobody', {}, '*')).status).toBe(404)
    })

    it('keeps what changed meanwhile from being disabled, removed, and given instances', async () => {
      const tries = [
        ['POST', `${SHOP}/disconnect`],
        ['POST', `${SHOP}/instances`, { url: `${upstream.url}?two` }],
        ['DELETE', SHOP],
        ['DELETE', '/api/v1/toolsets/few'],
        ['DELETE', `/api/v1/users/${user}`],
        ['DELETE', '/api/v1/permissions?agentType=z&tool=*'],
      ] as const
      for (const [method, path, body] of tries) {
        const answer = await gateways[0].manage(method, path, body, { 'if-match': '"old"' })
        expect(problemOf(answer)).toEqual([412, 'changed_meanwhile'])
      }
      expect((await gateways[0].manage('GET', SHOP)).body).toMatchObject({ isEnabled: true, instances: [] })
    })
  })

  describe('the tag of a service', () => {
    it('is of what operators set, not of what the gateway found out', async () => {
      const tag = await tagAt(SHOP)
      const before = (await gateways[0].manage('GET', SHOP)).body
      const refreshed = await gateways[0].manage('POST', `${SHOP}/refresh`)
      expect(refreshed.body.updatedAt).not.toBe(before.updatedAt)
      expect(refreshed.headers.get('etag')).toBe(tag)
    })

    it.each([
      { auth: { type: 'bearer', token: 'one' } },
      { auth: { type: 'bearer', token: 'two' } },
      { headers: { 'x-team': 'a' } },
      { headers: { 'x-team': 'b' } },
      { cacheTtlSeconds: 5 },
      { trusted: true },
    ])('changes with %j', async (body) => {
      const tag = await tagAt(SHOP)
      expect((await put(SHOP, body, tag)).status).toBe(200)
      expect(await tagAt(SHOP)).not.toBe(tag)
    })
  })

  describe('at the same moment', () => {
    it('different settings of one service are all kept', async () => {
      const changes = [
        { timeoutMs: 5_000 },
        { cacheTtlSeconds: 7 },
        { loadBalancer: 'random' },
        { rateLimit: { requestsPerMinute: 10, burstLimit: 2 } },
        { pinDefinitions: true },
        { url: `${upstream.url}?moved` },
      ]
      const answers = await Promise.all(changes.map((body, turn) => put(SHOP, body, undefined, turn)))
      expect(answers.map(({ status }) => status)).toEqual(changes.map(() => 200))
      const { body } = await gateways[0].manage('GET', SHOP)
      expect(body).toMatchObject(Object.assign({}, ...changes))
    })

    it.each([1, 2, 3])('a name is given once, to a service or a toolset', async (round) => {
      const name = `taken-${round}`
      const answers = await Promise.all([
        gateways[0].register(name, upstream.url),
        gateways[1].manage('POST', '/api/v1/toolsets', { slug: name, tools: ['buy'] }),
        gateways[0].manage('POST', '/api/v1/toolsets', { slug: name, tools: ['buy'] }),
      ])
      expect(answers.map(({ status }) => status).toSorted()).toEqual([201, 409, 409])
    })

    it('an alias is given to one tool', async () => {
      await gateways[0].register('other', upstream.url)
      const names = ['shop', 'other'].flatMap((service) =>
        ['buy', 'echo'].map((tool) => `/api/v1/tools/${service}/${tool}`),
      )
      const answers = await Promise.all(
        names.map((path, turn) => at(turn).manage('PATCH', path, { alias: 'wanted' })),
      )
      expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 409, 409, 409])
    })

    it('instances that are added are all there', async () => {
      const urls = [1, 2, 3, 4].map((number) => `${upstream.url}?instance=${number}`)
      const add = (instance: string, turn: number) =>
        at(turn).manage('POST', `${SHOP}/instances`, { url: instance })
      const added = await Promise.all(urls.map(add))
      expect(added.map(({ status, body }) => [status, body.url])).toEqual(urls.map((each) => [201, each]))
      const { items } = (await gateways[0].manage('GET', `${SHOP}/instances`)).body
      expect(items).toHaveLength(5)
    })

    it.each([
      ['service', SHOP],
      ['toolset', '/api/v1/toolsets/few'],
      ['permission', '/api/v1/permissions?agentType=z&tool=*'],
    ])('a %s is removed once', async (_, path) => {
      const answers = await Promise.all([0, 1, 2, 3].map((turn) => at(turn).manage('DELETE', path)))
      expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 404, 404, 404])
    })
  })
})
