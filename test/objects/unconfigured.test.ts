/** A deployment without one of the bindings that wrangler.toml declares. */
import { createExecutionContext } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { afterEach, expect, it, vi } from 'vitest'
import gateway from '../../src/index.ts'

afterEach(() => vi.restoreAllMocks())

it.each(['CLIENT_SESSION', 'SESSION_REGISTER', 'PARKED_CALL', 'SERVICE_GUARD'])(
  'F71 without the binding %s every request is refused, and one line says so at first use',
  async (name) => {
    const said = vi.spyOn(console, 'error').mockImplementation(() => undefined)
    const lacking = { ...env, [name]: undefined }
    for (const path of ['/mcp', '/api/v1/servers', '/nope', '/mcp']) {
      const request = new Request(`https://gateway.example${path}`, { method: 'POST' })
      const response = await gateway.fetch(request as never, lacking, createExecutionContext())
      expect(response.status).toBe(503)
    }
    expect(said.mock.calls.map(([line]) => JSON.parse(line))).toEqual([
      {
        level: 'error',
        event: 'not_configured',
        faults: [`Binding ${name} is missing: wrangler.toml declares it.`],
      },
    ])
  },
)
