/** `npm start` as a newcomer meets it: one command, then clients of every kind; Ctrl-C leaves nothing behind. */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import {
  Client as ModernClient,
  StreamableHTTPClientTransport as ModernTransport,
} from '@modelcontextprotocol/client'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { findFreePort } from '../../local/port.ts'
import { curl } from '../support/curl.ts'
import { eventually } from '../support/gateway.ts'

const ROOT = join(import.meta.dirname, '../..')
const TOKEN = 'Bearer mcp-token-123'

let directory: string
let ports: { gateway: number; shop: number; users: number }

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'switchyard-start-'))
  ports = { gateway: await findFreePort(), shop: await findFreePort(), users: await findFreePort() }
})
afterAll(async () => {
  // A failed test must not leave its run behind.
  await Promise.all(runs.map((run) => run.end()))
  await rm(directory, { recursive: true, force: true })
})

const runs: Started[] = []

class Started {
  readonly child: ChildProcess
  output = ''

  constructor(args: readonly string[], env: Record<string, string> = {}) {
    this.child = spawn(
      process.execPath,
      [join(ROOT, 'local/run.mjs'), 'local/start.ts', '--port', String(ports.gateway), ...args],
      {
        cwd: ROOT,
        env: {
          ...process.env,
          SWITCHYARD_STATE_DIR: directory,
          SHOPPING_SERVICE_PORT: String(ports.shop),
          USER_SERVICE_PORT: String(ports.users),
          ...env,
        },
      },
    )
    for (const stream of [this.child.stdout, this.child.stderr])
      stream?.on('data', (chunk) => (this.output += String(chunk)))
    runs.push(this)
  }

  async ready(): Promise<this> {
    await eventually(40_000, () => expect(this.output).toContain('Ctrl-C ends everything'))
    return this
  }

  /** To the first process alone: the rest is its duty. */
  async end(signal: 'SIGINT' | 'SIGTERM' = 'SIGTERM'): Promise<number | null> {
    this.child.kill(signal)
    return await this.exited()
  }

  /** What a machine that runs out of memory does. */
  async kill(pattern: string): Promise<void> {
    const { stdout } = await promisify(execFile)('pgrep', ['-f', pattern])
    for (const pid of stdout.trim().split('\n')) process.kill(Number(pid), 'SIGKILL')
  }

  async exited(): Promise<number | null> {
    if (this.child.exitCode === null && this.child.signalCode === null) await once(this.child, 'exit')
    return this.child.exitCode
  }
}

const url = (): URL => new URL(`http://127.0.0.1:${ports.gateway}/mcp`)
const isClosed = (port: number): Promise<boolean> =>
  fetch(`http://127.0.0.1:${port}/health`).then(
    () => false,
    () => true,
  )
const allClosed = (): Promise<void> =>
  eventually(5_000, async () =>
    expect(await Promise.all(Object.values(ports).map(isClosed))).toEqual([true, true, true]),
  )

/** Lists and calls the tools of both example services. */
async function useTools(client: Client | ModernClient): Promise<void> {
  const { tools } = await client.listTools()
  expect(tools.map(({ name }) => name).toSorted()).toEqual(['getProductById', 'getUserById'])
  const product = await client.callTool({ name: 'getProductById', arguments: { id: '123' } })
  expect(product.structuredContent).toMatchObject({ name: 'Mechanical keyboard' })
  const user = await client.callTool({ name: 'getUserById', arguments: { id: '456' } })
  expect(user.structuredContent).toMatchObject({ name: 'Grace Hopper' })
  await client.close()
}

describe('npm start', { timeout: 60_000 }, () => {
  let started: Started

  it('starts everything and prints a line that works when pasted', async () => {
    started = await new Started([]).ready()
    expect(started.output).toContain('2 services')
    expect(started.output).toContain(url().href)
    const line = /^curl .*$/m.exec(started.output)?.[0] ?? ''
    const { status, body } = await curl(line, {})
    expect([status, body.result.structuredContent.id]).toEqual([200, '123'])
  })

  it('shows the pages of the management API', async () => {
    const page = await (await fetch(new URL('/docs', url()))).text()
    const files = [...page.matchAll(/(?:src|href)="(\/[^"]+)"/g)].map(([, path = '']) => path)
    expect(files.length).toBeGreaterThan(2)
    for (const path of files) {
      const response = await fetch(new URL(path, url()))
      expect([path, response.status]).toEqual([path, 200])
      expect((await response.text()).length).toBeGreaterThan(0)
    }
  })

  it('keeps its secrets to its owner', async () => {
    expect((await stat(join(directory, 'secrets.json'))).mode & 0o077).toBe(0)
    expect((await stat(join(directory, 'wrangler/wrangler.json'))).mode & 0o077).toBe(0)
  })

  it('serves the official SDK client, version 1', async () => {
    const client = new Client({ name: 'v1', version: '1' })
    const transport = new StreamableHTTPClientTransport(url(), {
      requestInit: { headers: { authorization: TOKEN } },
    })
    await client.connect(transport)
    await useTools(client)
  })

  it('serves the official SDK client, version 2, in modern mode', async () => {
    const client = new ModernClient(
      { name: 'v2', version: '1' },
      { versionNegotiation: { mode: { pin: '2026-07-28' } } },
    )
    await client.connect(new ModernTransport(url(), { requestInit: { headers: { authorization: TOKEN } } }))
    await useTools(client)
  })

  it('says in one line that it runs already', async () => {
    const second = new Started([])
    expect(await second.exited()).toBe(1)
    expect(second.output.trim()).toMatch(/^Switchyard runs already: .* is in use by process \d+; .*$/)
  })

  it('ends all it started on Ctrl-C, with exit code 0', async () => {
    expect(await started.end('SIGINT')).toBe(0)
    await allClosed()
  })

  it('says that the gateway died, without its secrets, and leaves nothing running', async () => {
    const short = await new Started(['--no-examples']).ready()
    await short.kill(`wrangler-dist/cli.js dev --config ${directory}`)
    expect(await short.exited()).toBe(1)
    expect(short.output).toContain('The gateway ended unexpectedly.')
    const secrets: Record<string, string> = JSON.parse(
      await readFile(join(directory, 'secrets.json'), 'utf8'),
    )
    for (const secret of Object.values(secrets)) expect(short.output).not.toContain(secret.slice(0, 12))
    await allClosed()
  })

  it('comes back with its services, on plain workerd too, and dies with nothing left behind', async () => {
    const again = await new Started(['--runtime', 'workerd', '--no-examples']).ready()
    expect(again.output).toContain('2 services (shopping-service, user-service)')
    const { stdout } = await promisify(execFile)('pgrep', ['-P', String(again.child.pid)])
    process.kill(Number(stdout.trim()), 'SIGKILL')
    expect(await again.exited()).toBe(137)
    await allClosed()
  })

  it('ends with the process that npm started', async () => {
    const again = await new Started(['--runtime', 'workerd']).ready()
    again.child.kill('SIGKILL')
    await allClosed()
  })

  it.each<[string, string[], Record<string, string>, RegExp]>([
    ['an unknown option', ['--nope'], {}, /Unknown option '--nope'/],
    ['a bad port', ['--port', '0'], {}, /--port must be a whole number from 1 to 65535, not '0'/],
    ['a bad variable', [], { USER_SERVICE_PORT: 'x' }, /USER_SERVICE_PORT must be a whole number .* not 'x'/],
    ['an address of no database', [], { DATABASE_URL: 'hunter2' }, /DATABASE_URL must be a URL/],
    ['an address of no cache', [], { REDIS_URL: 'http://x:hunter2@y' }, /REDIS_URL must be a URL/],
    ['a bad runtime', ['--runtime', 'deno'], {}, /--runtime must be wrangler or workerd, not 'deno'/],
    [
      'a database out of reach',
      [],
      { DATABASE_URL: 'postgres://u:hunter2@127.0.0.1:9/x' },
      /PostgreSQL at 127\.0\.0\.1:9 is out of reach/,
    ],
    [
      'a cache out of reach',
      [],
      { REDIS_URL: 'redis://127.0.0.1:9' },
      /Redis at 127\.0\.0\.1:9 is out of reach/,
    ],
  ])('says what is wrong with %s and exits with 1', async (_, args, env, message) => {
    const failed = new Started(args, env)
    expect(await failed.exited()).toBe(1)
    expect(failed.output).toMatch(message)
    expect(failed.output).not.toContain('hunter2')
    await allClosed()
  })

  it.each(['gateway', 'shop'] as const)('says in one line that the port of the %s is taken', async (who) => {
    const other = createServer().listen(ports[who], '127.0.0.1')
    await once(other, 'listening')
    const failed = new Started([])
    expect(await failed.exited()).toBe(1)
    expect(failed.output.trim()).toMatch(new RegExp(`^Port ${ports[who]} for .* is taken\\. Stop what .*$`))
    other.close()
  })
})
