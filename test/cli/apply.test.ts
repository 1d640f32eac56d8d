/** A gateway that is told by a file: previewed, applied, found to be the same, pruned, exported. */
import { readActual } from '../../cli/file/actual.ts'
import { planOf, scopeOf } from '../../cli/file/plan.ts'
import { readGatewayFile } from '../../cli/file/read.ts'
import { openApi } from '../../cli/gateway.ts'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { API_KEY, type Gateway } from '../support/gateway.ts'
import { startStack, type Stack } from '../support/stack.ts'
import { startUpstream, type Upstream } from '../support/upstream.ts'
import { openShell, type Shell } from './shell.ts'

const TOKEN = 'the-token-of-the-upstream'
const PASSWORD = 'a-password-of-alice'
const secrets = { UPSTREAM_TOKEN: TOKEN, ALICE_PASSWORD: PASSWORD, TEAM: 'a-team' }

let stack: Stack
let gateway: Gateway
let upstream: Upstream
let shell: Shell

const fileFor = (url: string) => ({
  $schema: './switchyard.schema.json',
  services: [
    {
      name: 'first',
      url,
      auth: { type: 'bearer', token: '${UPSTREAM_TOKEN}' },
      headers: { 'X-Team': '${TEAM}' },
      rateLimit: { requestsPerMinute: 600, burstLimit: 50 },
    },
    { name: 'second', url, isEnabled: false, instances: [{ url, weight: 3 }] },
  ],
  tools: [{ service: 'first', tool: 'echo', alias: 'say', timeoutMs: 900 }],
  toolsets: [{ slug: 'some', tools: ['say', 'second/*'] }],
  permissions: [
    { agentType: 'coder', tool: 'first/*', allowed: false },
    { agentType: 'coder', tool: 'say', allowed: true },
  ],
  users: [{ username: 'alice', password: '${ALICE_PASSWORD}', role: 'user', agentType: 'coder' }],
})

beforeAll(async () => {
  stack = await startStack()
  gateway = await stack.gateway()
  upstream = await startUpstream()
  shell = await openShell({ SWITCHYARD_URL: gateway.url, SWITCHYARD_API_KEY: API_KEY })
  await shell.write('switchyard.json', fileFor(upstream.url))
})
afterAll(async () => {
  await stack.close()
  await upstream.stop()
  await shell.close()
})

const steps = async (...args: string[]): Promise<string[]> => {
  const { steps } = await shell.json(['apply', '--dry-run', ...args])
  return steps.map(({ action, what }: any) => `${action} ${what}`)
}

describe('switchyard apply', { timeout: 60_000 }, () => {
  it('previews without secrets and without doing anything', async () => {
    const { code, stdout } = await shell.run(['apply', '--check'])
    expect(code).toBe(2)
    expect(stdout).toContain('+ service first\n')
    expect(stdout).toContain('    auth: (secret)\n')
    expect(stdout).toContain('4 to create, 2 to change, none to remove.')
    expect((await gateway.manage('GET', '/api/v1/servers')).body.items).toEqual([])
  })

  it('wants every secret before it begins', async () => {
    const { code, stderr } = await shell.run(['apply', '--yes'], { env: { UPSTREAM_TOKEN: TOKEN } })
    expect(code).toBe(2)
    expect(stderr).toContain('TEAM is not set in the environment')
    expect(stderr).toContain('ALICE_PASSWORD is not set in the environment')
    expect((await gateway.manage('GET', '/api/v1/permissions')).body.items).toEqual([])
  })

  it('asks, where nobody said yes', async () => {
    const { code, stderr } = await shell.run(['apply'], { env: secrets })
    expect([code, stderr]).toEqual([2, expect.stringContaining('--yes')])
  })

  it('makes the gateway what the file says', async () => {
    await shell.must(['apply', '--yes'], { env: secrets })
    const first = (await gateway.manage('GET', '/api/v1/servers/first')).body
    expect(first).toMatchObject({
      status: 'connected',
      hasCredential: true,
      headers: { 'X-Team': '[secret]' },
    })
    const { isEnabled, instances } = (await gateway.manage('GET', '/api/v1/servers/second')).body
    expect([isEnabled, instances]).toEqual([false, [expect.objectContaining({ weight: 3 })]])
    const seen = upstream.requests.find(({ headers }) => headers['x-team'] !== undefined)
    expect(seen?.headers).toMatchObject({ 'x-team': 'a-team', authorization: `Bearer ${TOKEN}` })
    const login = { username: 'alice', password: PASSWORD }
    expect((await gateway.manage('POST', '/api/v1/auth/login', login)).status).toBe(200)
    const { body } = await gateway.manage('GET', '/api/v1/toolsets/some')
    expect(body.tools).toEqual(['say', 'second/*'])
  })

  it('finds nothing to do the second time, without any secret', async () => {
    const { code, stdout } = await shell.run(['apply', '--check', '--prune'])
    expect([code, stdout]).toEqual([0, 'Nothing to do: the gateway is as the file says.\n'])
  })

  it('shows each field that differs, and changes nothing else', async () => {
    const wanted = fileFor(upstream.url)
    wanted.services[0] = {
      ...wanted.services[0],
      rateLimit: { requestsPerMinute: 60, burstLimit: 5 },
    } as never
    wanted.permissions[0] = { agentType: 'coder', tool: 'first/*', allowed: true }
    await shell.write('other.json', wanted)
    const { stdout } = await shell.run(['apply', 'other.json', '--dry-run'])
    expect(stdout).toContain('~ service first\n    rateLimit: {"')
    expect(stdout).toContain('→ {"requestsPerMinute":60,"burstLimit":5}')
    expect(stdout).toContain('~ permissions\n    coder first/*: deny → allow')
    expect(stdout).toContain('none to create, 2 to change, none to remove.')
    await shell.must(['apply', 'other.json', '--yes'])
    expect((await gateway.manage('GET', '/api/v1/servers/first')).body.hasCredential).toBe(true)
    expect(await steps('other.json')).toEqual([])
  })

  it('sets secrets again where it is asked to', async () => {
    expect(await steps('other.json', '--secrets')).toEqual(['change service first', 'change user alice'])
    const { code, stderr } = await shell.run(['apply', 'other.json', '--secrets', '--yes'])
    expect([code, stderr]).toEqual([2, expect.stringContaining('UPSTREAM_TOKEN is not set')])
  })

  it('tells what was done and what was not where a step is refused', async () => {
    const away = {
      services: [{ name: 'away', url: 'http://127.0.0.1:2/mcp' }],
      toolsets: [{ slug: 'late', tools: ['say'] }],
    }
    await shell.write('away.json', { ...away, permissions: [{ agentType: 'x', tool: '*', allowed: false }] })
    const { code, stderr } = await shell.run(['apply', 'away.json', '--yes'])
    expect(code).toBe(1)
    expect(stderr).toContain('✓ change permissions')
    expect(stderr).toMatch(/✗ create service away: The tools of 'away' could not be read/)
    expect(stderr).toContain('1 of 3 steps are done. Not done either: create toolset late.')
    await gateway.manage('DELETE', '/api/v1/permissions', { agentType: 'x', tool: '*' })
  })

  it('overwrites nothing that somebody changed after the preview', async () => {
    const api = openApi({ url: gateway.url, headers: { 'X-API-Key': API_KEY } }, 30_000)
    const wanted = { ...fileFor(upstream.url), users: [{ username: 'alice', role: 'admin' as const }] }
    wanted.services[0] = { ...wanted.services[0], timeoutMs: 7_000 } as never
    wanted.tools = [{ service: 'first', tool: 'echo', alias: 'say', timeoutMs: 800 }]
    wanted.toolsets = [{ slug: 'some', tools: ['say'] }]
    const file = readGatewayFile(wanted, 'a file', {})
    const options = { env: {}, isPruning: false, resetsSecrets: false }
    const plan = planOf(file, await readActual(api, scopeOf(file)), options)
    await gateway.manage('PUT', '/api/v1/servers/first', { timeoutMs: 6_000 })
    await gateway.manage('PATCH', '/api/v1/tools/first/echo', { timeoutMs: 700 })
    await gateway.manage('PUT', '/api/v1/toolsets/some', { tools: ['raw'] })
    await gateway.manage('PUT', '/api/v1/permissions', { agentType: 'late', tool: '*', allowed: false })
    const { items } = (await gateway.manage('GET', '/api/v1/users')).body
    await gateway.manage('PUT', `/api/v1/users/${items[0].id}`, { agentType: 'other' })
    for (const step of plan)
      await expect(step.carryOut(api), step.what).rejects.toMatchObject({ status: 412 })
    expect(plan.map(({ what }) => what)).toEqual([
      'permissions',
      'service first',
      'tool first/echo',
      'toolset some',
      'user alice',
    ])
    // Back to what the file says.
    await gateway.manage('DELETE', '/api/v1/permissions', { agentType: 'late', tool: '*' })
    await gateway.manage('PUT', `/api/v1/users/${items[0].id}`, { agentType: 'coder' })
    await shell.must(['apply', '--yes'])
  })

  it('exports a file that asks for nothing when it is applied', async () => {
    const { stdout, stderr } = await shell.run(['export'])
    expect(stderr).toContain('add auth with a reference to first')
    const exported = JSON.parse(stdout)
    expect(exported.services[0].headers).toEqual({ 'X-Team': '${FIRST_X_TEAM}' })
    expect(exported.tools).toEqual([{ service: 'first', tool: 'echo', alias: 'say', timeoutMs: 900 }])
    await shell.write('exported.json', stdout)
    expect(await steps('exported.json', '--prune')).toEqual([])
    const { mcpServers } = await shell.json(['export', '--format', 'mcp'])
    expect(mcpServers.second.url).toBe(`${gateway.url}/mcp/second`)
  })

  it('removes what the file does not name only where it is asked to, in the sections that it has', async () => {
    const { services, toolsets } = fileFor(upstream.url)
    await shell.write('less.json', { services: services.slice(1), toolsets: [], permissions: [], tools: [] })
    expect(toolsets).toHaveLength(1)
    expect(await steps('less.json')).toEqual([])
    expect(await steps('less.json', '--prune')).toEqual([
      'remove toolset some',
      'remove service first',
      'remove permission coder first/*',
      'remove permission coder say',
    ])
    await shell.must(['apply', 'less.json', '--prune', '--yes'])
    const names = (await gateway.manage('GET', '/api/v1/servers')).body.items.map(({ name }: any) => name)
    expect(names).toEqual(['second'])
    expect((await gateway.manage('GET', '/api/v1/users')).body.items).toHaveLength(1)
  })

  it('has printed no secret', () => {
    for (const secret of [...Object.values(secrets), API_KEY]) expect(shell.printed).not.toContain(secret)
  })
})

describe('switchyard validate', () => {
  it('names every fault of a file, and no value', async () => {
    await shell.write('wrong.json', {
      services: [
        { name: 'a', url: 'https://a.example', auth: { type: 'bearer', token: 'plain', extra: 1 } },
        { name: 'a', url: '${NOT_SET}', timeoutMs: 'x' },
      ],
      users: [{ username: 'a', password: 'plain-password' }],
      more: [],
    })
    const { code, stderr } = await shell.run(['validate', 'wrong.json'])
    expect(code).toBe(2)
    for (const fault of [
      'services.0.auth.extra: is not a known field',
      'services.1.url: NOT_SET is not set',
      'services.1.timeoutMs: must be a whole number',
      'users.0.password: must be a reference',
      'more: is not a known field',
    ])
      expect(stderr).toContain(`wrong.json: ${fault}`)
    expect(stderr).not.toContain('plain-password')
  })

  it('warns of a secret in the file, and bears comments', async () => {
    const text = `// services\n{ "services": [{ "name": "a", "url": "https://a.example", "auth": { "type": "bearer", "token": "in-the-file" }, }] }`
    await shell.write('plain.json', text)
    const { code, stdout, stderr } = await shell.run(['validate', 'plain.json'])
    expect([code, stdout]).toEqual([0, 'The file is valid: services 1.\n'])
    expect(stderr).toContain('services.0.auth.token holds a secret itself')
    expect(stderr).not.toContain('in-the-file')
  })
})
