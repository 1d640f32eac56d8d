/** What the platform or a mistake of ours does to a gateway: it answers all the same, and says little. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createApp } from '../../src/app.ts'
import { Identity } from '../../src/identity/identify.ts'
import { ByteBudget } from '../../src/platform/budget.ts'
import { ProtectedResource } from '../../src/identity/resource.ts'
import { Secret } from '../../src/platform/secret.ts'
import { LIMITS } from '../../src/protocol/limits.ts'
import { startStack, type Stack } from '../support/stack.ts'

const TELLTALE = 'a stack trace, a table, a host'
const context = { waitUntil: () => undefined, passThroughOnException: () => undefined, props: {} }
const headers = {
  authorization: 'Bearer token',
  'x-api-key': 'key',
  'content-type': 'application/json',
  accept: 'application/json, text/event-stream',
}

/** An application in which everything behind the door throws this. */
function startBroken(thrown: unknown) {
  const fail = (): never => {
    throw thrown
  }
  const broken: never = new Proxy({}, { get: (_, name) => (name === 'ledger' ? broken : fail) }) as never
  const logged: Readonly<Record<string, unknown>>[] = []
  const identity = new Identity({
    secrets: { apiKey: new Secret('key'), bearerToken: new Secret('token'), tokenManages: true },
    auth: 'required',
    verifiers: [],
    directory: broken,
    noteUse: () => undefined,
    clock: Date.now,
  })
  const app = createApp({
    mcp: {
      identity,
      registryOf: () => broken,
      allowedOrigins: [],
      trail: { hear: (response) => response, turnAway: () => undefined },
      clientSessions: broken,
      dispatch: { budget: new ByteBudget(LIMITS.memoryBytes) } as never,
      parked: broken,
      listen: broken,
      listens: broken,
      clock: broken,
    },
    admin: {
      people: broken,
      registrarOf: () => broken,
      approverOf: () => broken,
      visibilityOf: () => broken,
      figures: broken,
      registryOf: () => broken,
      survey: broken,
      dependencies: broken,
      noteRefusal: () => undefined,
      turnAway: () => undefined,
      audit: broken,
      usage: broken,
      allowedOrigins: [],
      clock: broken,
      defaultTimeoutMs: 1,
      healthIntervalMs: 1,
      admitAgent: broken,
      admit: async () => ({
        organisationId: 'default',
        subject: 'operator',
        role: 'admin',
        agentType: undefined,
        scopes: undefined,
        manages: 'all',
      }),
    },
    health: broken,
    resource: new ProtectedResource(undefined, undefined),
    upkeep: broken,
    files: undefined,
    allowedHosts: [],
    log: (_level, event, fields) => void logged.push({ event, ...fields }),
  })
  return { app, logged }
}

const CALL = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' })

describe('a bug', () => {
  it.each([
    ['an Error', new Error(TELLTALE), TELLTALE],
    ['a text', TELLTALE, TELLTALE],
    ['nothing', undefined, 'an undefined, no error'],
    ['an object that cannot be shown', Object.create(null), 'an object, no error'],
  ])('F70 that throws %s is told by a reference alone', async (_, thrown, error) => {
    for (const [path, init] of [
      ['/mcp', { method: 'POST', headers, body: CALL }],
      ['/api/v1/servers', { headers }],
      ['/api/v1/servers/x', { method: 'DELETE', headers }],
      ['/health', {}],
    ] as const) {
      const { app, logged } = startBroken(thrown)
      const request = new Request(`https://gateway.example${path}`, init)
      const response = await app.fetch(request as never, {}, context as never)
      const text = await response.text()
      const ref = logged[0]?.['ref']
      expect(response.status).toBe(500)
      expect(JSON.parse(text)).toEqual({
        jsonrpc: '2.0',
        error: { code: -32603, message: 'Internal error', data: { ref } },
      })
      expect(logged).toMatchObject([{ event: 'bug', ref: expect.stringMatching(/^[0-9a-f-]{36}$/), error }])
    }
  })
})

describe('a deployment that lacks a secret', () => {
  let stack: Stack
  beforeAll(async () => {
    stack = await startStack()
  })
  afterAll(() => stack.close())

  it('F71 says so once, at first use, and answers every request with 503', async () => {
    let log = ''
    const lacking = await stack.gateway({ API_KEY: undefined }, { sink: (text) => void (log += text) })
    for (let at = 0; at < 5; at++) {
      for (const path of ['/mcp', '/mcp/x', '/api/v1/servers', '/register', '/nope', '/'])
        expect((await lacking.fetch(path, { method: 'POST', headers, body: CALL })).status).toBe(503)
    }
    expect((await lacking.fetch('/health')).body).toMatchObject({ status: 'degraded' })
    const lines = log.split('\n').filter((line) => line.includes('not_configured'))
    expect(lines).toHaveLength(1)
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      level: 'error',
      faults: [expect.stringContaining('API_KEY')],
    })
  })
})
