/**
 * An event stream passed on event by event: what belongs to this call goes to the caller, the answer ends
 * the stream, everything else is dropped (F06, F16–F18, S43, S44). Nothing is read before the caller asks for
 * it; a caller that goes away lets go of the upstream.
 */
import { type Deadline, within } from '../platform/deadline.ts'
import { LIMITS } from '../protocol/limits.ts'
import { isObject } from '../protocol/message.ts'
import { describeRefusal, errorText } from '../protocol/refusal.ts'
import { EventReader, STREAM_HEADERS, writeEvent } from '../protocol/sse.ts'
import { faultOfBody, checkAnswer } from './answer.ts'
import { type Delivery, rewriteAnswer } from './deliver.ts'
import { type Fault, refusalOf } from './fault.ts'

export type RelayPorts = {
  readonly service: string
  readonly deadline: Deadline
  /** Tells the upstream no, when it asks something of its own on the stream. */
  readonly refuseRequest: (idText: string, method: string) => void
}

type Seen = { readonly text: string; readonly isLast: boolean }

const encoder = new TextEncoder()

export function relayStream(
  body: ReadableStream<Uint8Array>,
  delivery: Delivery,
  ports: RelayPorts,
): Response {
  const source = body.getReader()
  const events = new EventReader()
  const decoder = new TextDecoder()

  const end = (): void => {
    ports.deadline.end()
    source.cancel().catch(() => undefined)
  }
  const fail = (fault: Fault): Seen => {
    const refusal = describeRefusal(refusalOf(fault, ports.service))
    return { text: writeEvent(errorText(refusal, delivery.idText)), isLast: true }
  }
  const readOn = async (): Promise<Seen> => {
    for (;;) {
      const piece = await within(LIMITS.streamIdleMs, source.read())
      if (!piece) return fail({ is: 'timeout', afterMs: LIMITS.streamIdleMs })
      const { done, value } = piece
      if (done) return fail({ is: 'not_mcp', detail: 'the stream ended without an answer' })
      const seen = passOn(events.read(decoder.decode(value, { stream: true })), delivery, ports)
      if (seen.text !== '') return seen
      if (events.held > LIMITS.eventBytes) return fail({ is: 'too_large', limitBytes: LIMITS.eventBytes })
    }
  }

  const stream = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const seen = await readOn().catch(() => fail(faultOfBody(ports.deadline)))
      controller.enqueue(encoder.encode(seen.text))
      if (!seen.isLast) return
      end()
      controller.close()
    },
    cancel: end,
  })
  return new Response(stream, { headers: STREAM_HEADERS })
}

function passOn(events: readonly { readonly data: string }[], delivery: Delivery, ports: RelayPorts): Seen {
  let text = ''
  for (const { data } of events) {
    const message = readMessage(data)
    if (!message) continue
    if (typeof message['method'] !== 'string') {
      const answer = checkAnswer(data, delivery.upstreamIdText)
      if (answer.ok) return { text: text + writeEvent(rewriteAnswer(answer.value, delivery)), isLast: true }
    } else if (message['id'] === undefined) text += writeEvent(data)
    else ports.refuseRequest(JSON.stringify(message['id']), message['method'])
  }
  return { text, isLast: false }
}

function readMessage(data: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(data)
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}
