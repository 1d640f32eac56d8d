/** Acts out what the dial says. Every wait ends when the caller is gone or the upstream stops. */
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { createGzip } from 'node:zlib'
import type { Fault } from './dial.ts'
import { answerText, notificationText, type Outcome, textResult } from './message.ts'
import { type Reply, STREAM_TYPE } from './reply.ts'

const CHUNK = 'x'.repeat(64 * 1024)
/** The id of a request that the fault `asks` makes. */
export const ASKED_ID = 'asked-by-fault'
/** Time for bytes to reach the other side before a reset overtakes them. */
const FLUSH_MS = 30

/** Faults that need no answer of the upstream's own. True: the request is dealt with. */
export async function actBefore(fault: Fault | undefined, reply: Reply, idText: string): Promise<boolean> {
  switch (fault?.is) {
    case 'silent':
      await gone(reply)
      return true
    case 'respond':
      respond(fault, reply, idText)
      return true
    case 'raw':
      reply.response.socket?.end(fault.bytes)
      return true
    case 'delay':
      await sleep(fault.ms, undefined, { signal: reply.signal })
      return false
    case 'asks':
      reply.event(askText(fault))
      return false
    case 'no_answer':
      reply.comment()
      reply.event(notificationText('notifications/message', { level: 'info', data: 'and no answer follows' }))
      reply.response.end()
      return true
    case 'comments':
      for (;;) {
        reply.comment()
        await sleep(fault.everyMs ?? 100, undefined, { signal: reply.signal })
      }
    case 'flood':
      reply.openStream()
      await pipeline(Readable.from(endlessProgress(reply, fault.progressToken)), reply.response, {
        signal: reply.signal,
      })
      return true
    case 'reset':
      if (fault.afterBytes !== undefined) return false
      reset(reply)
      return true
    default:
      return false
  }
}

const askText = ({ method, rest = '"params":{}', idText }: Extract<Fault, { is: 'asks' }>): string =>
  `{"jsonrpc":"2.0","id":${idText ?? JSON.stringify(ASKED_ID)},"method":${JSON.stringify(method)},${rest}}`

/** Sends the answer, spoilt where a fault says so. */
export async function deliver(
  fault: Fault | undefined,
  reply: Reply,
  idText: string,
  outcome: Outcome,
): Promise<void> {
  const text = answerText(idText, outcome)
  switch (fault?.is) {
    case 'truncated':
      return reply.finish(text.slice(0, text.length / 2))
    case 'wrong_id':
      return reply.finish(answerText(JSON.stringify(fault.id ?? 'of-another-request'), outcome))
    case 'twice':
      reply.event(text)
      reply.event(answerText(idText, { result: textResult('second') }))
      return void reply.response.end()
    case 'stall':
      await send(reply, text, text.length / 2)
      return await gone(reply)
    case 'drip':
      return await drip(reply, text, fault.everyMs ?? 1_000)
    case 'reset':
      await send(reply, text, fault.afterBytes ?? 0)
      await sleep(FLUSH_MS, undefined, { signal: reply.signal })
      return reset(reply)
    case 'cut':
      await send(reply, text, fault.afterBytes)
      return void reply.response.destroy()
    case 'huge_event':
      return await pour(reply, { type: STREAM_TYPE, parts: ['data: ', '\n\n'] }, idText, fault.bytes)
    case 'huge_json':
      return await pour(reply, { type: 'application/json' }, idText, fault.bytes)
    case 'gzip_bomb':
      return await pour(reply, { type: 'application/json', isCompressed: true }, idText, fault.bytes)
    default:
      return reply.finish(text, 'status' in outcome ? outcome.status : 200)
  }
}

function respond(fault: Extract<Fault, { is: 'respond' }>, { response }: Reply, idText: string): void {
  const { status = 200, headers = { 'content-type': 'application/json' }, body = '' } = fault
  const bytes = Buffer.from(typeof body === 'string' ? body : body(idText))
  const { pieceBytes } = fault
  if (pieceBytes === undefined) {
    response.writeHead(status, { 'content-length': String(bytes.length), ...headers })
    response.end(bytes)
    return
  }
  response.writeHead(status, headers)
  for (let start = 0; start < bytes.length; start += pieceBytes)
    response.write(bytes.subarray(start, start + pieceBytes))
  response.end()
}

/** Headers of the whole answer and so many bytes of its body. */
async function send(reply: Reply, text: string, bytes: number): Promise<void> {
  const body = begin(reply, text)
  await new Promise<void>((resolve) => reply.response.write(body.subarray(0, bytes), () => resolve()))
}

async function drip(reply: Reply, text: string, everyMs: number): Promise<void> {
  for (const byte of begin(reply, text)) {
    await sleep(everyMs, undefined, { signal: reply.signal })
    reply.response.write(Uint8Array.of(byte))
  }
  reply.response.end()
}

/** Sends the headers, which declare the whole length of JSON, and returns the body that they promise. */
function begin(reply: Reply, text: string): Buffer {
  const body = Buffer.from(reply.isStream ? reply.frame(text) : text)
  if (reply.isStream) reply.openStream()
  else {
    const length = { 'content-length': String(body.length) }
    reply.response.writeHead(200, { 'content-type': 'application/json', ...length, ...reply.headers })
    reply.response.flushHeaders()
  }
  return body
}

type Vessel = {
  readonly type: string
  readonly parts?: readonly [string, string]
  readonly isCompressed?: boolean
}

/** A right answer of `bytes` of text, never held in memory and no faster than the caller reads it. */
async function pour(reply: Reply, vessel: Vessel, idText: string, bytes: number): Promise<void> {
  const { type, parts = ['', ''], isCompressed = false } = vessel
  const { response, signal } = reply
  const encoding = isCompressed ? { 'content-encoding': 'gzip' } : {}
  response.writeHead(200, { 'content-type': type, ...encoding, ...reply.headers })
  const source = Readable.from(hugeAnswer(parts, idText, bytes))
  await (isCompressed
    ? pipeline(source, createGzip(), response, { signal })
    : pipeline(source, response, { signal }))
}

function* hugeAnswer([before, after]: readonly [string, string], idText: string, bytes: number) {
  yield `${before}{"jsonrpc":"2.0","id":${idText},"result":{"resultType":"complete","content":[{"type":"text","text":"`
  for (let left = bytes; left > 0; left -= CHUNK.length) yield CHUNK.slice(0, left)
  yield `"}]}}${after}`
}

function* endlessProgress(reply: Reply, progressToken: string) {
  for (let progress = 1; ; progress++) {
    const params = { progressToken, progress, message: CHUNK }
    yield reply.frame(notificationText('notifications/progress', params))
  }
}

function reset({ response }: Reply): void {
  response.socket?.resetAndDestroy()
}

const gone = ({ signal }: Reply): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve()
    signal.addEventListener('abort', () => resolve(), { once: true })
  })
