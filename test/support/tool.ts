/** What the tools of the fake upstream do. */
import { setTimeout as sleep } from 'node:timers/promises'
import { failure, type JsonObject, notificationText, type Outcome, type Seen, textResult } from './message.ts'
import type { Offer } from './offer.ts'
import { nameOf } from './offer.ts'
import type { Reply } from './reply.ts'
import { taskBegun } from './task.ts'

export type ToolCall = {
  readonly seen: Seen
  readonly params: JsonObject
  readonly meta: JsonObject
  readonly isModern: boolean
  readonly reply: Reply
  readonly offer: Offer
  /** The result text that the tool `raw` answers with. */
  readonly raw: string
  /** Sends a request to the client on the open stream and waits for what it answers. */
  readonly ask: (method: string, params: JsonObject) => Promise<unknown>
}

const textOutcome = (text: string): Outcome => ({ result: textResult(text) })

/** Built-in tools by name; any other that is offered says its argument `text`, or its own name. */
export async function runTool(call: ToolCall): Promise<Outcome> {
  const name = String(call.params['name'])
  const given = argumentsOf(call)
  switch (name) {
    case 'task':
      return taskBegun('task-1', call.isModern)
    case 'raw':
      return { result: call.raw }
    case 'slow':
      return await runSlow(call, Number(given['ms'] ?? 30), Number(given['steps'] ?? 3))
    case 'fail':
      return {
        result: JSON.stringify({
          content: [{ type: 'text', text: String(given['text'] ?? 'it failed') }],
          isError: true,
        }),
      }
    case 'rpc-error': {
      const message = String(given['message'] ?? 'broken on purpose')
      return failure(200, Number(given['code'] ?? -32000), message, { because: 'of the test' })
    }
    case 'big':
      return textOutcome('x'.repeat(Number(given['bytes'] ?? 1024)))
    case 'headers':
      return textOutcome(JSON.stringify(call.seen.headers))
    case 'ask':
      return await runAsk(call, given)
    default: {
      if (!call.offer.tools.some((tool) => nameOf(tool) === name))
        return failure(200, -32602, `Unknown tool: ${name}`)
      return textOutcome(String(given['text'] ?? name))
    }
  }
}

/** Takes `ms` in `steps` parts, each reported where the caller asked for progress. */
async function runSlow({ meta, reply }: ToolCall, ms: number, steps: number): Promise<Outcome> {
  const { progressToken } = meta
  for (let progress = 1; progress <= steps; progress++) {
    await sleep(ms / steps, undefined, { signal: reply.signal })
    if (progressToken === undefined) continue
    const params = { progressToken, progress, total: steps, message: `step ${progress}` }
    reply.event(notificationText('notifications/progress', params))
  }
  return textOutcome('done')
}

const STATE = 'state-of-ask'

/** Needs something of the client mid-call: a request on the stream, or a second round in the modern era. */
async function runAsk(call: ToolCall, given: JsonObject): Promise<Outcome> {
  const method = String(given['method'] ?? 'roots/list')
  const params = asObject(given['params'])
  if (!call.isModern) return textOutcome(JSON.stringify(await call.ask(method, params)))
  const { inputResponses, requestState } = call.params
  if (inputResponses === undefined) {
    const inputRequests = { answer: { method, params } }
    return { result: JSON.stringify({ resultType: 'input_required', inputRequests, requestState: STATE }) }
  }
  if (requestState !== STATE) return failure(200, -32602, 'Invalid request state')
  return textOutcome(JSON.stringify(asObject(inputResponses)['answer']))
}

const argumentsOf = ({ params }: ToolCall): JsonObject => asObject(params['arguments'])

const asObject = (value: unknown): JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {}
