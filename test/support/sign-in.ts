/** A gateway, an upstream that wants an OAuth access token, and who gives it. */
import { expect } from 'vitest'
import { startAuthorizationServer } from './token-endpoint.ts'
import type { Answer } from './gateway.ts'
import { startStack } from './stack.ts'
import { startUpstream } from './upstream.ts'

export type SignIn = Awaited<ReturnType<typeof openSignIn>>

export async function openSignIn() {
  const stack = await startStack()
  // A look at a service needs its credential as well, and would be counted.
  const gateway = await stack.gateway({ HEALTH_INTERVAL_MS: '3600000' })
  const authorization = await startAuthorizationServer()
  const upstream = await startUpstream({
    era: 'legacy',
    auth: { header: 'authorization', value: authorization.accepts },
  })
  let count = 0
  return {
    stack,
    gateway,
    authorization,
    upstream,
    /** A service whose token ends in so long; nobody says when, by default. */
    async register(endsInMs?: number): Promise<string> {
      const name = `oauth-${++count}`
      const expiresAt = endsInMs === undefined ? undefined : new Date(Date.now() + endsInMs).toISOString()
      const auth = authorization.signIn({ expiresAt })
      const { status, text } = await gateway.register(name, upstream.url, { auth })
      expect([status, text]).toEqual([201, expect.any(String)])
      return name
    },
    call: (name: string): Promise<Answer> =>
      gateway.rpc('tools/call', { name: 'echo', arguments: { text: 'x' } }, { path: `/mcp/${name}` }),
    show: async (name: string): Promise<any> => (await gateway.manage('GET', `/api/v1/servers/${name}`)).body,
    /** The authorization servers' dials as at the start. */
    reset(): void {
      authorization.asked.length = 0
      authorization.refreshes = 0
      authorization.fault = undefined
      authorization.expiresIn = 3_600
      authorization.clientSecret = undefined
    },
    async close(): Promise<void> {
      await stack.close()
      await Promise.all([upstream.stop(), authorization.stop()])
    },
  }
}

export const expectEcho = ({ body, text }: Answer): void =>
  expect(body.result?.content[0].text, text).toBe('x')
