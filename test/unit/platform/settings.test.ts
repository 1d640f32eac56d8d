/** Settings that say where the gateway is, by which names it may be called, and who is asked where names lead. */
import { describe, expect, it } from 'vitest'
import { readSettings, type Settings } from '../../../src/platform/settings.ts'

const REQUIRED = {
  DATABASE_URL: 'postgres://localhost/x',
  UPSTASH_REDIS_REST_URL: 'https://redis.example',
  UPSTASH_REDIS_REST_TOKEN: 'token',
  API_KEY: 'key',
  MCP_BEARER_TOKEN: 'bearer',
  ENCRYPTION_KEY: Buffer.alloc(32, 7).toString('base64'),
  JWT_SECRET: 'a-secret-that-signs-tokens',
}
const read = (env: Readonly<Record<string, string>>) => readSettings({ ...REQUIRED, ...env })
const settings = (env: Readonly<Record<string, string>> = {}): Settings => {
  const found = read(env)
  if (!found.ok) throw new Error(found.error.join(' '))
  return found.value
}

describe('DOH_URL', () => {
  it('S08 names are looked up where nothing is set', () =>
    expect(settings().dohUrl?.href).toBe('https://cloudflare-dns.com/dns-query'))
  it.each(['', ' ', 'off'])('%j turns that off', (value) =>
    expect(settings({ DOH_URL: value }).dohUrl).toBeUndefined(),
  )
  it("is a resolver of one's own", () =>
    expect(settings({ DOH_URL: 'http://127.0.0.1:53/dns' }).dohUrl?.href).toBe('http://127.0.0.1:53/dns'))
})

it.each(['DOH_URL', 'PUBLIC_URL', 'MCP_GATEWAY_URL'])(
  '%s that cannot be used is named, and not shown',
  (name) => {
    for (const value of [
      'nonsense',
      'http://resolver.example/',
      'ftp://a.example/',
      'https://me:secret@a.example/',
    ]) {
      const found = read({ [name]: value })
      expect(found.ok).toBe(false)
      expect(found).toMatchObject({ error: [expect.stringContaining(name)] })
      expect(JSON.stringify(found)).not.toMatch(/nonsense|resolver\.example|secret/)
    }
  },
)

it('S10 PUBLIC_URL is where callers reach the gateway, or nothing', () => {
  expect(settings().publicUrl).toBeUndefined()
  expect(settings({ PUBLIC_URL: 'https://gateway.example' }).publicUrl?.hostname).toBe('gateway.example')
  const named = { MCP_GATEWAY_URL: 'https://older.example' }
  expect(settings(named).publicUrl?.hostname).toBe('older.example')
  expect(settings({ ...named, PUBLIC_URL: 'https://gateway.example' }).publicUrl?.hostname).toBe(
    'gateway.example',
  )
})

it('S32 ALLOWED_HOSTS are names in any case, or none', () => {
  expect(settings().allowedHosts).toEqual([])
  expect(settings({ ALLOWED_HOSTS: 'A.example, b.example:*' }).allowedHosts).toEqual([
    'a.example',
    'b.example:*',
  ])
})

it('CACHE_TTL_SECONDS is five minutes, or a whole number up to a day', () => {
  expect(settings().cacheTtlSeconds).toBe(300)
  expect(settings({ CACHE_TTL_SECONDS: '86400' }).cacheTtlSeconds).toBe(86_400)
  for (const value of ['0', '-1', '1.5', '86401', 'often']) {
    const found = read({ CACHE_TTL_SECONDS: value })
    const fault = 'Setting CACHE_TTL_SECONDS must be a whole number from 1 to 86400.'
    expect(found).toEqual({ ok: false, error: [fault] })
  }
})
