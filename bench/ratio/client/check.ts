/** Whether an answer is right. A check gives the fault in words, or nothing. */
import { isDeepStrictEqual } from 'node:util'
import { readEvents } from '../../../test/support/event.ts'
import { type HttpMessage, isStream } from '../http.ts'
import { describeTool } from '../offer.ts'

type Answer = {
  readonly jsonrpc?: unknown
  readonly id?: unknown
  readonly result?: {
    readonly isError?: unknown
    readonly content?: readonly { readonly type?: unknown; readonly text?: unknown }[]
    readonly tools?: readonly { readonly name?: unknown }[]
    readonly nextCursor?: unknown
  }
}

/** Of a call, where exactly this text must be said. */
export function checkCall(message: HttpMessage, id: number, said: string): string | undefined {
  const answer = readAnswer(message, id)
  if (typeof answer === 'string') return answer
  const { isError, content = [] } = answer.result ?? {}
  const [only, ...more] = content
  if (isError === undefined && only?.type === 'text' && only.text === said && more.length === 0)
    return undefined
  return `not what was to be said, but ${quote(message)}`
}

/** Of lists where always the same must be listed. What is the same bytes as a right answer is not read again. */
export class ListCheck {
  readonly #names: ReadonlySet<string>
  readonly #right = new Map<number, Buffer>()

  constructor(names: readonly string[]) {
    this.#names = new Set(names)
  }

  check(message: HttpMessage, id: number): string | undefined {
    if (hasStatus200(message) && this.#right.get(id)?.equals(message.body)) return undefined
    const answer = readAnswer(message, id)
    if (typeof answer === 'string') return answer
    const { tools, nextCursor } = answer.result ?? {}
    if (!Array.isArray(tools)) return `no list, but ${quote(message)}`
    if (nextCursor !== undefined) return 'only the first page of a list'
    const fault = this.#checkTools(tools)
    if (fault === undefined && !isStream(message.head)) this.#right.set(id, message.body)
    return fault
  }

  #checkTools(tools: readonly { readonly name?: unknown }[]): string | undefined {
    const missing = new Set(this.#names)
    for (const tool of tools) {
      const name = String(tool.name)
      if (!this.#names.has(name)) return `a list with ${name}, which nobody offers`
      if (!missing.delete(name)) return `a list with ${name} twice`
      if (!isDeepStrictEqual(tool, describeTool(name))) return `a list with another ${name} than was offered`
    }
    const [name] = missing
    return name === undefined ? undefined : `a list without ${name} and ${missing.size - 1} others`
  }
}

/** The one message that answers the request `id`, or what is wrong with it. */
function readAnswer(message: HttpMessage, id: number): Answer | string {
  if (!hasStatus200(message)) return `not 200, but ${quote(message)}`
  const text = message.body.toString()
  const texts = isStream(message.head) ? readEvents(text) : [text]
  try {
    const answer: Answer = JSON.parse(texts.at(-1) ?? '')
    if (answer.jsonrpc === '2.0' && answer.id === id && typeof answer.result === 'object') return answer
    return `not the result of request ${id}, but ${quote(message)}`
  } catch {
    return `no JSON, but ${quote(message)}`
  }
}

const hasStatus200 = ({ head }: HttpMessage): boolean => / 200 /.test(head.slice(0, 13))

const quote = ({ head, body }: HttpMessage): string =>
  `'${head.split('\r\n', 1)[0]} … ${body.toString('utf8', 0, 200)}' (${body.length} bytes)`
