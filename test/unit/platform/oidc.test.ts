/** The settings that make the gateway a resource of an issuer. */
import { describe, expect, it } from 'vitest'
import { readSettings } from '../../../src/platform/settings.ts'

const BASE = {
  DATABASE_URL: 'postgres://x',
  UPSTASH_REDIS_REST_URL: 'https://x',
  UPSTASH_REDIS_REST_TOKEN: 'x',
  API_KEY: 'x',
  MCP_BEARER_TOKEN: 'y',
  ENCRYPTION_KEY: Buffer.alloc(32).toString('base64'),
  JWT_SECRET: 'a-secret-that-is-long-enough-for-anybody',
}
const PUBLIC_URL = 'https://mcp.example.com'
const OIDC_ISSUER = 'https://auth.example.com/tenant'

const read = (env: Record<string, string>) => readSettings({ ...BASE, ...env })
const faultsOf = (env: Record<string, string>): readonly string[] => {
  const settings = read(env)
  return settings.ok ? [] : settings.error
}

describe('an issuer', () => {
  it('is taken as it is written, for the URLs of the gateway', () => {
    const settings = read({ PUBLIC_URL: `${PUBLIC_URL}/`, OIDC_ISSUER })
    expect(settings.ok && settings.value.oidc).toEqual({ issuer: OIDC_ISSUER, audiences: undefined })
  })

  it('is taken for audiences that are named', () => {
    const settings = read({ OIDC_ISSUER, OIDC_AUDIENCE: 'a, b' })
    expect(settings.ok && settings.value.oidc?.audiences).toEqual(['a', 'b'])
  })

  it('S16 needs to be told whom its tokens must be for', () => {
    expect(faultsOf({ OIDC_ISSUER })).toEqual([expect.stringContaining('PUBLIC_URL or OIDC_AUDIENCE')])
  })

  it.each([
    'auth.example.com',
    'http://auth.example.com',
    'https://auth.example.com/?a=b',
    'https://auth.example.com/#a',
    'https://me:it@auth.example.com',
  ])('is not %s', (issuer) => {
    const faults = faultsOf({ PUBLIC_URL, OIDC_ISSUER: issuer })
    expect(faults).toEqual([expect.stringContaining('OIDC_ISSUER')])
    expect(faults[0]).not.toContain('me:it')
  })

  it('may be reached without TLS on this machine', () => {
    expect(faultsOf({ PUBLIC_URL: 'http://localhost:8787', OIDC_ISSUER: 'http://127.0.0.1:9000' })).toEqual(
      [],
    )
  })
})
