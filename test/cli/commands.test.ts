/** The commands as operators and scripts use them, against a real gateway. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { API_KEY, eventually, type Gateway } from '../support/gateway.ts'
import { startStack, type Stack } from '../support/stack.ts'
import { startUpstream, type Upstream } from '../support/upstream.ts'
import { openShell, type Shell } from './shell.ts'

const SECRET = 'the-token-of-the-upstream'
const PASSWORD = 'a-password-of-alice'
/** Clears the screen, moves up and writes anew; a C1 control; a mark of direction. */
const HOSTILE = 'nice\u001B[2J\u001B[1A tool\u009B31m\u202E'

let stack: Stack
let gateway: Gateway
let upstream: Upstream
let shell: Shell

beforeAll(async () => {
  stack = await startStack()
  gateway = await stack.gateway()
  upstream = await startUpstream({
    tools: [{ name: 'hostile', description: HOSTILE, inputSchema: { type: 'object' } }],
  })
  shell = await openShell({ SWITCHYARD_URL: gateway.url, SWITCHYARD_API_KEY: API_KEY })
})
afterAll(async () => {
  await stack.close()
  await upstream.stop()
  await shell.close()
})

describe('switchyard services', () => {
  it('registers with every kind of setting, and shows no secret', async () => {
    const settings =
      '--timeout-ms 5000 --requests-per-minute 600 --burst-limit 50 --no-trusted --header X-Team=a'
    const auth = ['--auth', 'bearer', '--secret-env', 'UPSTREAM_TOKEN']
    const args = ['services', 'add', 'first', upstream.url, ...settings.split(' '), ...auth]
    const made = await shell.json(args, { env: { UPSTREAM_TOKEN: SECRET } })
    expect(made).toMatchObject({
      name: 'first',
      status: 'connected',
      timeoutMs: 5_000,
      rateLimit: { requestsPerMinute: 600, burstLimit: 50 },
      trusted: false,
      headers: { 'X-Team': '[secret]' },
      hasCredential: true,
    })
    const { body } = await gateway.manage('GET', '/api/v1/servers/first')
    expect(body).toEqual(made)
    expect(upstream.requests.at(-1)?.headers['authorization']).toBe(`Bearer ${SECRET}`)
  })

  it('registers what a file or stdin says, with references to the environment', async () => {
    const input = JSON.stringify({ name: 'second', url: '${PLACE}' })
    await shell.must(['services', 'add', '--file', '-'], { input, env: { PLACE: upstream.url } })
    const table = await shell.must(['services', 'list'])
    expect(table).toMatch(/^NAME +STATUS +TOOLS +VERSION +URL/)
    expect(table).toMatch(/^second +connected +\d+ +2026-07-28 +http/m)
  })

  it('gives scripts the answer as it is', async () => {
    const { text } = await gateway.manage('GET', '/api/v1/servers?limit=1000')
    expect(await shell.must(['services', 'list', '--json'])).toBe(`${text}\n`)
  })

  it('completes a group of settings that is changed in part', async () => {
    const { rateLimit } = await shell.json(['services', 'update', 'first', '--burst-limit', '60'])
    expect(rateLimit).toEqual({ requestsPerMinute: 600, burstLimit: 60 })
  })

  it('disables, enables, refreshes and removes', async () => {
    expect((await shell.json(['services', 'disable', 'second'])).isEnabled).toBe(false)
    expect((await shell.json(['services', 'enable', 'second'])).isEnabled).toBe(true)
    expect(await shell.must(['services', 'refresh', 'second'])).toContain('connected')
    const asked = await shell.run(['services', 'remove', 'second'])
    expect([asked.code, asked.stderr]).toEqual([2, expect.stringContaining('repeat it with --yes')])
    await shell.must(['services', 'remove', 'second', '--yes'])
    const again = await shell.run(['services', 'remove', 'second', '--yes'])
    expect([again.code, again.stderr]).toEqual([1, expect.stringContaining("There is no service 'second'")])
  })

  it('names the setting that is wrong before anything is sent', async () => {
    const { code, stderr } = await shell.run(['services', 'add', 'Bad', upstream.url, '--timeout-ms', 'x'])
    expect(code).toBe(2)
    expect(stderr).toContain('name: must match')
    expect(stderr).toContain('timeoutMs: must be a whole number from 1 to 600000')
  })
})

describe('switchyard tools', () => {
  it('calls with arguments as pairs and as JSON, and prints what is to be read', async () => {
    expect(await shell.must(['tools', 'call', 'echo', 'text=a=b'])).toBe('a=b\n')
    const args = JSON.stringify({ text: 'from stdin' })
    expect(await shell.must(['tools', 'call', 'echo', '--args', '-'], { input: args })).toBe('from stdin\n')
    const { content } = await shell.json(['tools', 'call', 'echo', 'text:="c"'])
    expect(content).toEqual([{ type: 'text', text: 'c' }])
  })

  it('ends with 1 where the tool fails or there is none', async () => {
    const failed = await shell.run(['tools', 'call', 'fail', 'text=why'])
    expect([failed.code, failed.stdout]).toEqual([1, 'why\n'])
    const unknown = await shell.run(['tools', 'call', 'nope'])
    expect([unknown.code, unknown.stderr]).toEqual([1, 'Unknown tool: nope\n'])
  })

  it('sets and clears settings', async () => {
    const set = await shell.json(['tools', 'set', 'first/echo', '--alias', 'say', '--timeout-ms', '900'])
    expect(set).toMatchObject({ name: 'say', alias: 'say', timeoutMs: 900 })
    const caching = ['--cache-ttl-seconds', 'default', '--cache-scope', 'caller']
    const kept = await shell.json(['tools', 'set', 'first/echo', ...caching])
    expect(kept).toMatchObject({ cacheTtlSeconds: 300, cacheScope: 'caller' })
    const settings = ['alias', 'timeoutMs', 'cacheTtlSeconds', 'cacheScope']
    const cleared = await shell.json(['tools', 'set', 'first/echo', '--clear', ...settings])
    expect(cleared).toMatchObject({ name: 'echo' })
    expect(cleared).not.toHaveProperty('timeoutMs')
  })

  it('S61 lets no text of an upstream drive the terminal', async () => {
    const outputs = [
      await shell.must(['services', 'show', 'first']),
      await shell.must(['services', 'show', 'first', '--json']),
      await shell.must(['tools', 'call', 'echo', `text=${HOSTILE}`]),
      (await shell.run(['tools', 'call', 'fail', `text=${HOSTILE}`, '--json'])).stdout,
      (await shell.run(['tools', 'call', 'rpc-error', `message=${HOSTILE}`, 'code:=-32000'])).stderr,
    ]
    for (const output of outputs) {
      expect(output).not.toMatch(/(?![\n\t])[\p{Cc}\p{Cf}]/u)
      expect(output).toContain('nice')
    }
    expect(outputs[2]).toContain('nice\\x1b[2J')
    expect(JSON.parse(outputs[1] ?? '').tools.at(-1).description).toBe(HOSTILE)
  })
})

describe('switchyard keys', () => {
  it('shows a key once, on stdout alone, and it opens what it should', async () => {
    const { stdout, stderr } = await shell.run([
      'keys',
      'create',
      'ci',
      '--expires',
      '30d',
      '--scope',
      'read',
    ])
    expect(stdout).toMatch(/^sy_[\w-]+\n$/)
    const key = stdout.trim()
    expect(stderr).not.toContain(key)
    const tools = await shell.run(['tools', 'list'], { env: { SWITCHYARD_API_KEY: key } })
    expect(tools.code).toBe(0)
    const listed = await shell.must(['keys', 'list'])
    expect(listed).toMatch(/ci +sy_[\w-]+ +user +mcp:read +20\d\d-/)
    expect(listed).not.toContain(key)
    const [{ id }] = (await shell.json(['keys', 'list'])).items
    await shell.must(['keys', 'revoke', id, '--yes'])
    const refused = await shell.run(['tools', 'list'], { env: { SWITCHYARD_API_KEY: key } })
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('switchyard login')])
  })

  it('revokes by the beginning of a key', async () => {
    const made = await shell.json(['keys', 'create', 'by prefix'])
    const { code, stdout } = await shell.run(['keys', 'revoke', made.prefix, '-y'])
    expect([code, stdout]).toEqual([0, 'by prefix is revoked.\n'])
  })
})

describe('switchyard users, toolsets, permissions, audit', () => {
  it('makes, changes and removes a user, whose password is nowhere', async () => {
    const args = ['users', 'create', 'alice', '--password-stdin', '--agent-type', 'coder']
    await shell.must(args, { input: PASSWORD })
    expect(await shell.must(['users', 'list'])).toMatch(/^alice +user +coder/m)
    const changed = await shell.json(['users', 'update', 'alice', '--role', 'admin', '--no-agent-type'])
    expect(changed).toMatchObject({ role: 'admin' })
    expect(changed).not.toHaveProperty('agentType')
    await shell.must(['users', 'remove', 'alice', '--yes'])
    expect((await shell.json(['users', 'list'])).items).toEqual([])
  })

  it('makes a toolset, adds and drops tools', async () => {
    await shell.must(['toolsets', 'create', 'some', 'echo', 'raw'])
    const { tools } = await shell.json(['toolsets', 'update', 'some', '--add', 'slow', '--drop', 'raw'])
    expect(tools).toEqual(['echo', 'slow'])
    expect(await gateway.toolNames('/mcp/some')).toEqual(['echo', 'slow'])
    expect(await shell.must(['toolsets', 'list'])).toContain(`${gateway.url}/mcp/some`)
    await shell.must(['toolsets', 'remove', 'some', '--yes'])
  })

  it('sets and takes away a rule', async () => {
    await shell.must(['permissions', 'set', 'coder', 'first/*', 'deny'])
    expect(await shell.must(['permissions', 'list', 'coder'])).toMatch(/^coder +first\/\* +no$/m)
    await shell.must(['permissions', 'remove', 'coder', 'first/*', '--yes'])
    expect((await shell.json(['permissions', 'list'])).items).toEqual([])
  })

  it('tells who did it', async () => {
    const { items } = await shell.json(['audit', '--action', 'toolset.', '--from', '1h', '-n', '2'])
    expect(items.map(({ action, actor }: any) => [action, actor])).toEqual([
      ['toolset.delete', 'api-key'],
      ['toolset.update', 'api-key'],
    ])
  })
})

describe('switchyard usage', () => {
  it('shows what was called in a window', async () => {
    await eventually(10_000, async () => {
      const { items } = await shell.json(['usage', '--from', '1h'])
      expect(items).toContainEqual(expect.objectContaining({ tool: 'fail', service: 'first', calls: 2 }))
    })
    const table = await shell.must(['usage', '--group-by', 'service', '--from', '1h'])
    expect(table).toMatch(/^SERVICE +CALLS +ERRORS +REFUSED +CACHED +P50 MS +P95 MS +P99 MS\nfirst +\d+ +\d+/)
    expect(await shell.must(['usage', '--from', '2w', '--to', '1w'])).not.toContain('first')
    expect((await shell.run(['usage', '--group-by', 'nope'])).code).toBe(2)
  })
})

describe('the command line', () => {
  it('ends with 2 where it is misused, and 0 where it is asked for help', async () => {
    const misuses = [['nope'], ['services'], ['services', 'list', '--nope'], ['audit', '--timeout', 'x']]
    for (const args of misuses) expect((await shell.run(args)).code, args.join(' ')).toBe(2)
    const help = await shell.run(['services', 'add', '--help'])
    expect([help.code, help.stdout]).toEqual([0, expect.stringContaining('--requests-per-minute')])
  })

  it('says in one line what to do where nothing listens', async () => {
    const { code, stderr } = await shell.run(['services', 'list', '--url', 'http://127.0.0.1:2'])
    expect(code).toBe(1)
    expect(stderr).toMatch(/^Nothing listens at http:\/\/127\.0\.0\.1:2\. .*npm start\n$/)
  })

  it('has printed no secret but the new keys', () => {
    expect(shell.printed).toContain('hasCredential')
    for (const secret of [SECRET, PASSWORD, API_KEY]) expect(shell.printed).not.toContain(secret)
  })
})
