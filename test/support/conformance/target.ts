/** A gateway as the suites can use it: without credentials, for pages of this machine, with the fixture behind it. */
import { expect } from 'vitest'
import { startStack } from '../stack.ts'
import { startUpstream, type UpstreamOptions } from '../upstream.ts'
import { startConformanceFixture } from './fixture.ts'

export type Target = { readonly url: string; stop(): Promise<void> }

/** `neighbours`: services that are registered before the fixture, and so have the better claim to their names. */
export async function startTarget(
  neighbours: Readonly<Record<string, UpstreamOptions>> = {},
): Promise<Target> {
  const stack = await startStack()
  const gateway = await stack.gateway({ MCP_AUTH: 'open', ALLOWED_ORIGINS: 'http://127.0.0.1:*' })
  const register = async (name: string, url: string): Promise<void> => {
    expect((await gateway.register(name, url)).status).toBe(201)
  }
  const upstreams = await Promise.all(Object.values(neighbours).map(startUpstream))
  for (const [index, name] of Object.keys(neighbours).entries())
    await register(name, upstreams[index]?.url ?? '')
  const fixture = await startConformanceFixture()
  await register('fixture', fixture.url)
  return {
    url: `${gateway.url}/mcp`,
    async stop() {
      await stack.close()
      await Promise.all([fixture, ...upstreams].map((part) => part.stop()))
    },
  }
}
