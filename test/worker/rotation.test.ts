/** The encryption key is replaced while what it sealed is still about. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually, type Gateway } from '../support/gateway.ts'
import { startStack, type Stack } from '../support/stack.ts'
import { startUpstream, type Upstream } from '../support/upstream.ts'

const keyOf = (fill: number): string => Buffer.alloc(32, fill).toString('base64')
const [OLD, NEW] = [keyOf(7), keyOf(9)]
const NAMES = ['one', 'two', 'three', 'four']

let stack: Stack
let upstream: Upstream
let session = ''
beforeAll(async () => {
  stack = await startStack()
  upstream = await startUpstream({
    era: 'legacy',
    auth: { header: 'authorization', value: 'Bearer s3cret' },
  })
  const before = await stack.gateway({ ENCRYPTION_KEY: OLD })
  const auth = { type: 'bearer', token: 's3cret' }
  for (const name of NAMES) expect((await before.register(name, upstream.url, { auth })).status).toBe(201)
  const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 't', version: '1' } }
  session = (await before.rpc('initialize', params)).headers.get('mcp-session-id') ?? ''
})
afterAll(async () => {
  await stack.close()
  await upstream.stop()
})

const call = async (gateway: Gateway, name: string, headers: Record<string, string> = {}) => {
  const params = { name: 'echo', arguments: { text: 'x' } }
  const { body } = await gateway.rpc('tools/call', params, { path: `/mcp/${name}`, headers })
  return body.error?.code ?? body.result.content[0].text
}
const sealed = async (): Promise<unknown[]> =>
  (await stack.query('select sealed_auth from services order by name')).map((row) => row['sealed_auth'])

describe('ENCRYPTION_KEY_PREVIOUS', () => {
  it('is what a gateway with another key opens nothing without', async () => {
    const other = await stack.gateway({ ENCRYPTION_KEY: NEW })
    expect(await call(other, 'one')).toBe(-31511)
  })

  it('opens credentials and sessions, and the credentials are sealed anew, a few at a time', async () => {
    const before = await sealed()
    const between = await stack.gateway({
      ENCRYPTION_KEY: NEW,
      ENCRYPTION_KEY_PREVIOUS: ` ${keyOf(1)}, ${OLD}`,
    })
    for (const name of NAMES) expect(await call(between, name)).toBe('x')
    const headers = { 'mcp-protocol-version': '2025-11-25', 'mcp-session-id': session }
    expect((await between.rpc('tools/list', {}, { headers })).status).toBe(200)
    const count = async (): Promise<number> =>
      (await sealed()).filter((text) => !before.includes(text)).length
    await eventually(5_000, async () => expect(await count()).toBe(3))
    const next = await stack.gateway({ ENCRYPTION_KEY: NEW, ENCRYPTION_KEY_PREVIOUS: OLD })
    await next.rpc('tools/list')
    await eventually(5_000, async () => expect(await count()).toBe(4))
    const rows = await stack.query(`select target from audit_log where action = 'credential.reseal'`)
    expect(rows.map(({ target }) => target).sort()).toEqual([...NAMES].sort())
  })

  it('is needed no more then', async () => {
    const after = await stack.gateway({ ENCRYPTION_KEY: NEW })
    for (const name of NAMES) expect(await call(after, name)).toBe('x')
    const settled = await sealed()
    await after.rpc('tools/list')
    await stack.quiet()
    expect(await sealed()).toEqual(settled)
  })

  it('F71 of another length is named', async () => {
    let said = ''
    const sink = (text: string): void => void (said += text)
    const broken = await stack.gateway({ ENCRYPTION_KEY_PREVIOUS: `${OLD},c2hvcnQ=` }, { sink })
    expect((await broken.fetch('/mcp')).status).toBe(503)
    await eventually(2_000, () =>
      expect(said).toContain('ENCRYPTION_KEY_PREVIOUS must be 32 bytes in base64'),
    )
    expect(said).not.toContain('c2hvcnQ=')
  })
})
