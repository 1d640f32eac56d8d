/** How the program comes to its credential and keeps it, and how clients and services come to the gateway. */
import { readFile, stat } from 'node:fs/promises'
import { createServer } from 'node:http'
import { once } from 'node:events'
import { execFile, spawn } from 'node:child_process'
import { platform } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { API_KEY, type Gateway } from '../support/gateway.ts'
import { makeUser, passwordOf } from '../support/people.ts'
import { startStack, type Stack } from '../support/stack.ts'
import { startUpstream, type Upstream } from '../support/upstream.ts'
import { openShell, type Shell } from './shell.ts'

const ROOT = join(import.meta.dirname, '../..')
const TOKEN = 'the-token-of-the-upstream'

let stack: Stack
let gateway: Gateway
let upstream: Upstream
let shell: Shell

beforeAll(async () => {
  stack = await startStack()
  gateway = await stack.gateway()
  upstream = await startUpstream()
  shell = await openShell({})
  await makeUser(gateway, 'root', { role: 'admin' })
})
afterAll(async () => {
  await stack.close()
  await upstream.stop()
  await shell.close()
})

const credentials = (): string => join(shell.directory, 'config/switchyard/credentials.json')

describe('switchyard login', () => {
  it('keeps nothing that the gateway does not know', async () => {
    const wrong = await shell.run(['login', '--api-key-stdin', '--url', gateway.url], { input: 'sy_nope' })
    expect(wrong.code).toBe(1)
    const args = ['login', '-u', 'root', '--password-stdin', '--url', gateway.url]
    const guess = await shell.run(args, { input: 'a wrong password' })
    expect([guess.code, guess.stderr]).toEqual([1, expect.stringContaining('password is wrong')])
    await expect(stat(credentials())).rejects.toThrow('ENOENT')
  })

  it('keeps a token for its owner alone, and uses it at that gateway alone', async () => {
    const args = ['login', '-u', 'root', '--password-stdin', '--url', `${gateway.url}/mcp`]
    await shell.must(args, { input: `${passwordOf('root')}\n` })
    expect((await stat(credentials())).mode & 0o777).toBe(0o600)
    expect((await stat(join(credentials(), '..'))).mode & 0o777).toBe(0o700)
    expect((await shell.json(['users', 'list'])).items).toHaveLength(1)
    const { gateways } = JSON.parse(await readFile(credentials(), 'utf8'))
    expect(shell.printed).not.toContain(gateways[gateway.url].token)
    const other = await shell.run(['users', 'list', '--url', gateway.url.replace('127.0.0.1', 'localhost')])
    expect([other.code, other.stderr]).toEqual([1, expect.stringContaining('switchyard login')])
  })

  it('lets the environment win, and forgets when it is told to', async () => {
    const env = { SWITCHYARD_API_KEY: 'sy_nope' }
    expect((await shell.run(['users', 'list'], { env })).code).toBe(1)
    await shell.must(['logout'])
    const { code } = await shell.run(['users', 'list', '--url', gateway.url])
    expect(code).toBe(1)
    await shell.must(['login', '--api-key-stdin', '--url', gateway.url], { input: API_KEY })
    expect((await shell.run(['users', 'list'])).code).toBe(0)
  })

  it('asks nobody where nobody is', async () => {
    const { code, stderr } = await shell.run(['login', '-u', 'root'])
    expect([code, stderr]).toEqual([2, expect.stringContaining('nobody can be asked here')])
  })

  it.skipIf(platform() !== 'linux')('S58 shows nothing of a password that is typed', async () => {
    const screen = await typeInto(
      ['login', '-u', 'root', '--url', gateway.url],
      'Password of root',
      'typed-secret',
    )
    expect(screen).toContain('password is wrong')
    expect(screen).not.toContain('typed-secret')
  })

  it('gives its credential to nobody to whom the gateway leads', async () => {
    const asked: (string | undefined)[] = []
    const elsewhere = createServer((request, response) => {
      asked.push(request.url)
      response.writeHead(307, { location: `${gateway.url}/stolen` }).end()
    }).listen(0, '127.0.0.1')
    await once(elsewhere, 'listening')
    const address = elsewhere.address()
    const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`
    const { code, stderr } = await shell.run(['users', 'list', '--url', url])
    elsewhere.close()
    expect([code, asked.length]).toEqual([1, 1])
    expect(stderr).toContain(`leads to ${gateway.url}/stolen`)
  })
})

/** What a terminal shows once `answer` was typed at `question`. */
async function typeInto(args: string[], question: string, answer: string): Promise<string> {
  const command = [process.execPath, join(ROOT, 'cli/switchyard.mjs'), ...args].join(' ')
  const child = spawn('script', ['-qec', command, '/dev/null'], {
    env: { ...process.env, XDG_CONFIG_HOME: join(shell.directory, 'typed') },
  })
  let screen = ''
  child.stdout.on('data', (chunk) => {
    const isAsked = screen.includes(question)
    screen += String(chunk)
    if (!isAsked && screen.includes(question)) child.stdin.write(`${answer}\r`)
  })
  await once(child, 'close')
  return screen
}

describe('switchyard import', () => {
  const servers = () => ({
    'My Notes': { command: 'npx', args: ['-y', 'notes-server'] },
    plain: { type: 'http', url: upstream.url, headers: { Authorization: 'Bearer ${env:UPSTREAM_TOKEN}' } },
    Bridged: { command: 'npx', args: ['mcp-remote@latest', upstream.url, '--header', 'X-Team: a'] },
    missing: { url: upstream.url, headers: { 'X-API-Key': '${input:some-key}' } },
    off: { url: upstream.url, disabled: true },
  })

  it('says what it would do, and does nothing', async () => {
    await shell.write('claude.json', { mcpServers: servers() })
    const stdout = await shell.must(['import', 'claude.json', '--dry-run'], {
      env: { UPSTREAM_TOKEN: TOKEN },
    })
    expect(stdout).toMatch(/^my-notes +skip .*is started by 'npx'/m)
    expect(stdout).toMatch(/^plain +register +http\S+ +Authorization/m)
    expect(stdout).toMatch(/^bridged +register .*was 'Bridged'/m)
    expect(stdout).toMatch(/^missing +skip .*needs SOME_KEY in the environment/m)
    expect(stdout).toMatch(/^off +skip .*is disabled there/m)
    expect((await gateway.manage('GET', '/api/v1/servers')).body.items).toEqual([])
  })

  it('registers what can be, once', async () => {
    const options = { env: { UPSTREAM_TOKEN: TOKEN } }
    await shell.must(['import', 'claude.json', '--yes'], options)
    const { items } = (await gateway.manage('GET', '/api/v1/servers')).body
    expect(items.map(({ name, hasCredential }: any) => [name, hasCredential])).toEqual([
      ['plain', true],
      ['bridged', false],
    ])
    expect(await shell.must(['import', 'claude.json', '--yes'], options)).toMatch(/^plain +known /m)
  })

  it('reads what VS Code keeps, comments included', async () => {
    const text = `{ // of a workspace\n "servers": { "away": { "type": "http", "url": "http://127.0.0.1:2/mcp", }, } }`
    await shell.write('mcp.json', text)
    const { code, stderr } = await shell.run(['import', 'mcp.json', '--yes'])
    expect([code, stderr]).toEqual([
      1,
      expect.stringContaining("✗ away: The tools of 'away' could not be read"),
    ])
    const none = await shell.run(['import', 'config/switchyard/credentials.json'])
    expect([none.code, none.stderr]).toEqual([2, expect.stringContaining('neither mcpServers nor servers')])
  })
})

describe('switchyard client', () => {
  it('prints what belongs into the file alone, without the credential', async () => {
    const { stdout, stderr } = await shell.run(['client', 'vscode', '--endpoint', 'plain'])
    expect(JSON.parse(stdout).servers.switchyard).toEqual({
      type: 'http',
      url: `${gateway.url}/mcp/plain`,
      headers: { Authorization: 'Bearer ${input:switchyard-token}' },
    })
    expect(stderr).toContain('.vscode/mcp.json')
    expect((await shell.run(['client', 'nope'])).stderr).toContain('claude-code, cursor')
  })

  it('prints a line for curl that works when it is pasted', async () => {
    const line = await shell.must(['client', 'curl'])
    const env = { ...process.env, SWITCHYARD_TOKEN: API_KEY }
    const { stdout } = await promisify(execFile)('bash', ['-c', line], { env })
    expect(JSON.parse(stdout).result.tools.length).toBeGreaterThan(0)
  })
})

describe('npx switchyard', { timeout: 60_000 }, () => {
  it('finds the program of a fresh clone, with nothing on stdout but the answer', async () => {
    const env = { ...process.env, SWITCHYARD_URL: gateway.url, SWITCHYARD_API_KEY: API_KEY }
    const args = ['--no', 'switchyard', 'services', 'list', '--json']
    const { stdout } = await promisify(execFile)('npx', args, { cwd: ROOT, env })
    expect(JSON.parse(stdout).items).toHaveLength(2)
  })

  it('has printed no secret', () => {
    for (const secret of [TOKEN, API_KEY, passwordOf('root')]) expect(shell.printed).not.toContain(secret)
  })
})
