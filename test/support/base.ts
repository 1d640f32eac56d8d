/**
 * The valid modern call of which each row of bad inputs changes one thing, and the exact answers that it is told.
 * The service behind it is one fake upstream, registered as `fixture`.
 */
import { expect } from 'vitest'
import { type Answer, type Gateway, STAYS_CLOSED, TOKEN } from './gateway.ts'
import { type GatewayRuntime, startStack, type Stack } from './stack.ts'
import { startUpstream, type Upstream, type UpstreamOptions } from './upstream.ts'

export const VERSION_KEY = 'io.modelcontextprotocol/protocolVersion'
export const CAPABILITIES_KEY = 'io.modelcontextprotocol/clientCapabilities'
export const META = { [VERSION_KEY]: '2026-07-28', [CAPABILITIES_KEY]: {} }
export const HEADERS = {
  authorization: `Bearer ${TOKEN}`,
  'content-type': 'application/json',
  accept: 'application/json, text/event-stream',
  'mcp-protocol-version': '2026-07-28',
  'mcp-method': 'tools/call',
  'mcp-name': 'echo',
}
export const CALL = {
  jsonrpc: '2.0',
  id: 1,
  method: 'tools/call',
  params: { name: 'echo', arguments: { text: 'hi' }, _meta: META },
}

/** What differs from the base; a header of `undefined` is left out. */
export type Change = {
  readonly headers?: Readonly<Record<string, string | undefined>>
  /** Instead of the whole message. */
  readonly body?: unknown
  /** Instead of the body's bytes. */
  readonly raw?: string | Uint8Array<ArrayBuffer>
  /** Members of `params`. */
  readonly params?: object
  readonly path?: string
}

export function send(gateway: Gateway, change: Change = {}): Promise<Answer> {
  const { path = '/mcp', body, raw, params } = change
  const message = body ?? (params ? { ...CALL, params: { ...CALL.params, ...params } } : CALL)
  const init = { method: 'POST', headers: headersOf(change), body: raw ?? JSON.stringify(message) }
  return gateway.fetch(path, init)
}

export const headersOf = ({ headers = {} }: Pick<Change, 'headers'>): Record<string, string> =>
  Object.fromEntries(
    Object.entries({ ...HEADERS, ...headers }).filter(
      (entry): entry is [string, string] => entry[1] !== undefined,
    ),
  )

/** Expects exactly this error; `id`: `undefined` means that the member is left out. */
export function expectError(
  answer: Answer,
  status: number,
  code: number,
  message: string | RegExp,
  id?: string | number,
): void {
  expect(answer.body).toMatchObject({ jsonrpc: '2.0', error: { code } })
  if (typeof message === 'string') expect(answer.body.error.message).toBe(message)
  else expect(answer.body.error.message).toMatch(message)
  expect(answer.status).toBe(status)
  expect(answer.body.id).toBe(id)
  expect(answer.headers.get('content-type')).toBe('application/json')
  expect(answer.headers.get('cache-control')).toBe('no-store')
}

/** Expects what the base call is answered where nothing is wrong. */
export function expectEcho(answer: Answer): void {
  expect(answer.status).toBe(200)
  expect(answer.body.result.content[0].text).toBe('hi')
  expect(answer.body.id).toBe(1)
}

/** A gateway with one service behind it. */
export type Yard = {
  readonly stack: Stack
  readonly gateway: Gateway
  readonly upstream: Upstream
  close(): Promise<void>
}

export async function openYard(options: UpstreamOptions = {}, runtime: GatewayRuntime = {}): Promise<Yard> {
  const stack = await startStack()
  const upstream = await startUpstream(options)
  const gateway = await stack.gateway({}, runtime)
  expect((await gateway.register('fixture', upstream.url, STAYS_CLOSED)).status).toBe(201)
  return {
    stack,
    gateway,
    upstream,
    async close() {
      await stack.close()
      await upstream.stop()
    },
  }
}
