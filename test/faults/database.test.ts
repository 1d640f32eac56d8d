/** What the faults of Neon become, on the wire of its own driver: values, in time, and nothing of its text. */
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { attempt, type Database, databasePolicy, openDatabase } from '../../src/storage/database.ts'
import { loadImage, loadVersion } from '../../src/storage/image.ts'

let server: Server
let respond: RequestListener
let database: Database

beforeEach(async () => {
  server = createServer((request, response) => respond(request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  database = openDatabase(`postgres://user:password@127.0.0.1:${port}/db`, databasePolicy.readBudgetMs)
})
afterEach(() => {
  server.closeAllConnections()
  server.close()
})

const version = () => attempt(() => loadVersion(database, 'default'))
const image = () => attempt(() => loadImage(database, 'default'))
const sqlFault = (code: string) => JSON.stringify({ message: `the driver's text`, code })
const answers =
  (status: number, body: string): RequestListener =>
  (_, response) =>
    void response.writeHead(status).end(body)
const halfAnswer: RequestListener = (_, response) => {
  response.writeHead(200, { 'content-length': '1000' }).write('{"rows":[')
}

describe('a fault of the database', () => {
  it.each<[string, RequestListener]>([
    ['F53 HTTP 500', answers(500, `the driver's text`)],
    ['F53 HTTP 502 in HTML', answers(502, '<html>bad gateway</html>')],
    ['F53 HTTP 200 in HTML', answers(200, '<html>welcome</html>')],
    ['F53 a connection that is refused', (request) => request.socket.destroy()],
    [
      'F53 a connection that breaks in the middle of the answer',
      (request, response) => {
        halfAnswer(request, response)
        setTimeout(() => request.socket.destroy(), 50)
      },
    ],
    ['a wrong password', answers(400, JSON.stringify({ message: 'password authentication failed' }))],
  ])('%s leaves it unreachable', async (_, given) => {
    respond = given
    for (const read of [version, image])
      expect(await read()).toEqual({ ok: false, error: { why: 'unreachable' } })
  })

  it.each([
    ['F54 53300', 'busy'],
    ['F56 23505', 'duplicate'],
    ['F56 40001', 'conflict'],
    ['F56 40P01', 'conflict'],
    ['F58 42703', 'schema'],
    ['F58 42P01', 'schema'],
    ['57P01', 'unreachable'],
    ['08006', 'unreachable'],
    ['22P05', 'rejected'],
    ['42501', 'rejected'],
  ])('%s is told as what it is: %s', async (name, why) => {
    const sqlState = name.slice(-5)
    respond = answers(400, sqlFault(sqlState))
    for (const read of [version, image]) expect(await read()).toEqual({ ok: false, error: { why, sqlState } })
  })

  it('F54 HTTP 429 is a database that is busy', async () => {
    respond = answers(429, 'slow down')
    for (const read of [version, image]) expect(await read()).toEqual({ ok: false, error: { why: 'busy' } })
  })

  it.each<[string, RequestListener]>([
    ['never answers', () => undefined],
    ['stops in the middle of its answer', halfAnswer],
  ])('F55 a database that %s is given up after 2 s, and its connection closed', async (_, given) => {
    let isClosed = false
    respond = (request, response) => {
      request.socket.on('close', () => (isClosed = true))
      given(request, response)
    }
    const askedAt = performance.now()
    expect(await version()).toEqual({ ok: false, error: { why: 'unreachable' } })
    const waitedMs = performance.now() - askedAt
    expect(waitedMs).toBeGreaterThan(1_900)
    expect(waitedMs).toBeLessThan(3_500)
    await vi.waitFor(() => expect(isClosed).toBe(true))
  })
})
