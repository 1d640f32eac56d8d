/** The dial of the fake upstream, its options, and that its end leaves nothing behind. */
import { execFile } from 'node:child_process'
import { connect } from 'node:net'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { callerOf, HEADERS, json } from './caller.ts'
import { type Fault, ROWS } from './dial.ts'
import { eventually } from './gateway.ts'
import { startUpstream, type Upstream, type UpstreamOptions } from './upstream.ts'

let upstream: Upstream
const use = async (options: UpstreamOptions): Promise<void> => {
  await upstream.stop()
  upstream = await startUpstream({ era: 'legacy', ...options })
}
beforeEach(async () => {
  upstream = await startUpstream({ era: 'legacy' })
})
afterEach(() => upstream.stop())

const { ask, call, echo } = callerOf(() => upstream.url)

describe('the dial', () => {
  it('applies to one method, for so many requests, in the order set', async () => {
    upstream.dial.set({ is: 'respond', status: 500, for: 'tools/call', times: 1 })
    upstream.dial.set({ is: 'respond', status: 502, for: 'tools/call', times: 2 })
    expect((await ask('ping')).status).toBe(200)
    const statuses = [await call('echo'), await call('echo'), await call('echo'), await call('echo')]
    expect(statuses.map(({ status }) => status)).toEqual([500, 502, 502, 200])
  })

  it('holds until its end, or until all is cleared', async () => {
    const end = upstream.dial.set(ROWS.F07)
    expect((await call('echo')).status).toBe(500)
    end()
    expect(await echo()).toBe('fine')
    upstream.dial.set(ROWS.F07)
    upstream.dial.clear()
    expect(await echo()).toBe('fine')
  })

  it('lets the tool raw say anything, byte for byte', async () => {
    upstream.dial.raw = '{ "content":[{"type":"hologram","n":9007199254740993,"x":1.0}],"new":null }'
    expect(await (await call('raw')).text()).toContain(`"result":${upstream.dial.raw}}`)
    await use({ era: 'modern' })
    upstream.dial.raw = '{ "content":[{"n":9007199254740993}] }'
    const _meta = {
      'io.modelcontextprotocol/protocolVersion': '2026-07-28',
      'io.modelcontextprotocol/clientCapabilities': {},
    }
    const headers = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': 'raw' }
    const text = await (await ask('tools/call', { params: { name: 'raw', _meta }, headers })).text()
    expect(text).toContain('"resultType":"complete"')
    expect(text).toContain(upstream.dial.raw.slice(1))
    expect(upstream.requests[0]?.body).toContain('"id":1')
  })
})

describe('the end of everything', () => {
  const held: readonly Fault[] = [ROWS.F03, ROWS.F04, ROWS.F05, ROWS.F06, { is: 'delay', ms: 60_000 }]

  it('F01 refuses connections, comes back on the same port without its sessions', async () => {
    await use({ stateful: true })
    const { url } = upstream
    const params = { protocolVersion: '2025-11-25' }
    const session = (await ask('initialize', { params })).headers.get('mcp-session-id') ?? ''
    expect((await ask('ping', { headers: { 'mcp-session-id': session } })).status).toBe(200)
    await upstream.stop()
    // The first may still find the kept connection, which is cut.
    await expect(ask('ping')).rejects.toThrow('fetch failed')
    await expect(ask('ping')).rejects.toMatchObject({ cause: { code: 'ECONNREFUSED' } })
    await upstream.restart()
    expect(upstream.url).toBe(url)
    expect((await ask('ping', { headers: { 'mcp-session-id': session } })).status).toBe(404)
  })

  it('stop cuts whatever is open, silent connections too', async () => {
    for (const fault of held) upstream.dial.set({ ...fault, times: 1 })
    const calls = held.map(() => call('echo').then((response) => response.text()))
    const ended = Promise.allSettled([...calls, call('slow', { ms: 60_000 })])
    const socket = connect(upstream.port, '127.0.0.1').on('error', () => undefined)
    await eventually(1_000, () => expect(upstream.open).toBe(held.length + 1))
    await eventually(1_000, () => expect(upstream.sockets).toBe(held.length + 2))
    const start = performance.now()
    await upstream.stop()
    expect(performance.now() - start).toBeLessThan(500)
    const outcomes = await ended
    expect(outcomes.map(({ status }) => status)).toEqual(outcomes.map(() => 'rejected'))
    expect([upstream.open, upstream.closed, upstream.sockets]).toEqual([0, 0, 0])
    await upstream.stop()
    socket.destroy()
  })

  it('stop leaves no timer: a process with nothing else to do ends', async () => {
    const script = `
      import { startUpstream } from ${JSON.stringify(new URL('upstream.ts', import.meta.url).href)}
      const upstream = await startUpstream()
      const post = (name) => fetch(upstream.url, {
        method: 'POST', headers: ${JSON.stringify(HEADERS)},
        body: JSON.stringify({ id: 1, method: 'tools/call', params: { name, arguments: { ms: 60000 } } }),
      }).then((response) => response.text()).catch(() => 'cut')
      upstream.dial.set({ is: 'delay', ms: 60000, times: 1 })
      upstream.dial.set({ is: 'drip', everyMs: 60000, times: 1 })
      upstream.dial.set({ is: 'comments', everyMs: 60000, times: 1 })
      const calls = ['echo', 'echo', 'echo', 'slow', 'ask'].map(post)
      while (upstream.open < calls.length) await new Promise((resolve) => setTimeout(resolve, 5))
      await upstream.stop()
      console.log((await Promise.all(calls)).join())`
    const run = promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], {
      timeout: 5_000,
    })
    expect((await run).stdout.trim()).toBe('cut,cut,cut,cut,cut')
  })

  it('counts a caller that leaves mid-call', async () => {
    const params = { name: 'slow', arguments: { ms: 60_000, steps: 1_000 }, _meta: { progressToken: 1 } }
    const leaving = new AbortController()
    const response = await ask('tools/call', { params, signal: leaving.signal })
    await response.body?.getReader().read()
    expect([upstream.open, upstream.closed]).toEqual([1, 0])
    leaving.abort()
    await eventually(1_000, () => expect([upstream.open, upstream.closed]).toEqual([0, 1]))
    expect(await echo()).toBe('fine')
    expect(upstream.closed).toBe(1)
  })
})

describe('the options', () => {
  it('demands its credential and its path', async () => {
    await use({ auth: { header: 'X-Api-Key', value: 'k' }, path: '/deep/mcp' })
    expect((await ask('ping')).status).toBe(401)
    expect((await ask('ping', { headers: { 'x-api-key': 'k' } })).status).toBe(200)
    expect((await fetch(upstream.url.replace('/deep', ''))).status).toBe(404)
    expect((await fetch(upstream.url, { headers: { 'x-api-key': 'k' } })).status).toBe(405)
  })

  it('ends lines as told', async () => {
    await use({ answers: 'sse', framing: { lineEnd: '\r', splitData: true } })
    const text = await (await ask('ping')).text()
    expect(text).toBe('event: message\rid: 1\rdata: {\rdata: "jsonrpc":"2.0","id":1,"result":{}\rdata: }\r\r')
  })

  it('checks headers that repeat arguments', async () => {
    const properties = { region: { type: 'string', 'x-mcp-header': 'Region' } }
    await use({ era: 'modern', tools: [{ name: 'near', inputSchema: { type: 'object', properties } }] })
    const _meta = {
      'io.modelcontextprotocol/protocolVersion': '2026-07-28',
      'io.modelcontextprotocol/clientCapabilities': {},
    }
    const params = { name: 'near', arguments: { region: 'eu\n' }, _meta }
    const headers = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': 'near' }
    expect((await json(await ask('tools/call', { params, headers }))).error.code).toBe(-32020)
    const mirrored = { ...headers, 'mcp-param-region': '=?base64?ZXUK?=' }
    expect((await ask('tools/call', { params, headers: mirrored })).status).toBe(200)
  })
})
