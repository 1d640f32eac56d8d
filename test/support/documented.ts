/** Whether an answer of the MCP endpoint is one that the documents describe, whatever was sent. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { readEvents } from './event.ts'
import { isObject } from './message.ts'
import type { WireAnswer } from './wire.ts'

/** `status code` of every row of docs/errors.md, and of the refusals that have another status in the other era. */
const PAGE = readFileSync(join(import.meta.dirname, '../../docs/errors.md'), 'utf8')
const DOCUMENTED = [
  ...Array.from(
    PAGE.matchAll(/^\| \w+ \| (\d{3}) \| (-\d{5}) \|/gm),
    ([, status, code]) => `${status} ${code}`,
  ),
  '400 -32602',
  '200 -32601',
  '200 -32021',
  '200 -32002',
]
const BUG = '500 -32603'

/** The id that an answer to this body must carry, where it carries one. */
export function idToEcho(body: Uint8Array): string | number | undefined {
  const value = parse(body)
  return isObject(value) ? idOf(value) : undefined
}

function idOf({ id, method }: Readonly<Record<string, unknown>>): string | number | undefined {
  if (typeof method !== 'string' || method === '') return undefined
  if (typeof id === 'string') return id.length <= 256 ? id : undefined
  return typeof id === 'number' && Number.isSafeInteger(id) ? id : undefined
}

function parse(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: false }).decode(body))
  } catch {
    return undefined
  }
}

/** `upstreamCodes`: an error on 200 may be the upstream's own. */
export function expectDocumented(
  { status, headers, text }: WireAnswer,
  body: Uint8Array,
  upstreamCodes = false,
): void {
  if (status === 202 || status === 204) return expect(text).toBe('')
  const type = headers['content-type'] ?? ''
  expect(['application/json', 'text/event-stream']).toContain(type)
  const texts = type === 'application/json' ? [text] : readMessages(text)
  for (const message of texts.map((one) => JSON.parse(one))) {
    if (Array.isArray(message)) expectBatch(message, body)
    else if (status === 401) expectChallenge(message, headers)
    else if (status === 404 && message.error === 'not_found') expect(message).toEqual({ error: 'not_found' })
    else expectMessage(message, status, [idToEcho(body)], upstreamCodes)
  }
}

/** An event without data only marks a place. */
const readMessages = (text: string): string[] => readEvents(text).filter((data) => data !== '')

function expectBatch(messages: readonly unknown[], body: Uint8Array): void {
  const sent = parse(body)
  const ids = Array.isArray(sent) ? sent.map((part) => (isObject(part) ? idOf(part) : undefined)) : []
  expect(messages.length).toBeGreaterThan(0)
  for (const message of messages) expectMessage(message, 200, ids, true)
}

function expectChallenge(body: unknown, headers: WireAnswer['headers']): void {
  expect(Object.keys(isObject(body) ? body : {})).toEqual(['error', 'error_description'])
  expect(headers['www-authenticate']).toMatch(/^Bearer realm="switchyard"/)
}

function expectMessage(message: any, status: number, ids: readonly unknown[], upstreamCodes: boolean): void {
  expect(message.jsonrpc).toBe('2.0')
  // Said on the way, by the gateway or by an upstream.
  if (typeof message.method === 'string') return
  if ('result' in message) {
    expect(status).toBe(200)
    expect(isObject(message.result)).toBe(true)
    expect(ids).toContain(message.id)
    expect(message.id).toBeDefined()
    return
  }
  const { code, message: sentence } = message.error
  expect([undefined, ...ids]).toContain(message.id)
  // What an upstream says of its own failure goes on escaped, as it was sent (B101).
  if (!upstreamCodes) expect(sentence.isWellFormed()).toBe(true)
  const pair = `${status} ${code}`
  expect(pair).not.toBe(BUG)
  if (!(upstreamCodes && status === 200)) expect(DOCUMENTED).toContain(pair)
}
