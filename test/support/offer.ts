/** What the fake upstream offers, as raw JSON texts, and the pages in which it lists them. */
import { failure, type JsonObject, type Outcome } from './message.ts'
import { TASKS_EXTENSION } from './task.ts'

/** A value, or the raw JSON text of one. */
export type Raw = JsonObject | string

export type OfferOptions = {
  /** Besides the built-in ones. */
  readonly tools?: readonly Raw[]
  readonly resources?: readonly Raw[]
  readonly templates?: readonly Raw[]
  readonly prompts?: readonly Raw[]
  /** Items of one page; everything on one by default. */
  readonly pageSize?: number
  /** The cursor of the second page is the empty string, which is a valid one. */
  readonly hasEmptyCursor?: boolean
  readonly instructions?: string
  /** Its tool `task` begins the task `task-1`. */
  readonly runsTasks?: boolean
  /** Whether it says that it tells of changes, by which it is listened to; it does by default. */
  readonly announces?: boolean
}

/** What is wrong with a list. */
export type ListFault =
  | { readonly is: 'endless_pages' }
  | { readonly is: 'repeated_cursor' }
  | { readonly is: 'many_tools'; readonly count: number }
  | { readonly is: 'duplicate_tools' }

const BUILT_IN: Readonly<Record<string, string>> = {
  echo: '{"text":{"type":"string"}}',
  raw: '{}',
  slow: '{"ms":{"type":"number"},"steps":{"type":"integer"}}',
  fail: '{"text":{"type":"string"}}',
  'rpc-error': '{"code":{"type":"integer"},"message":{"type":"string"}}',
  big: '{"bytes":{"type":"integer"}}',
  headers: '{}',
  ask: '{"method":{"type":"string"},"params":{"type":"object"}}',
}

const toolText = (name: string, description: string, properties = '{}'): string =>
  `{"name":"${name}","description":"${description}","inputSchema":{"type":"object","properties":${properties}}}`

export class Offer {
  tools: string[]
  resources: string[]
  templates: string[]
  prompts: string[]
  readonly instructions: string | undefined
  readonly runsTasks: boolean
  readonly announces: boolean
  readonly #pageSize: number
  readonly #hasEmptyCursor: boolean

  constructor(options: OfferOptions) {
    const builtIn = Object.entries(BUILT_IN).map(([name, properties]) =>
      toolText(name, `The tool ${name}`, properties),
    )
    this.runsTasks = options.runsTasks ?? false
    this.announces = options.announces ?? true
    const task = this.runsTasks ? [toolText('task', 'Begins a task')] : []
    this.tools = [...builtIn, ...task, ...texts(options.tools)]
    this.resources = texts(options.resources)
    this.templates = texts(options.templates)
    this.prompts = texts(options.prompts)
    this.instructions = options.instructions
    this.#pageSize = options.pageSize ?? Number.POSITIVE_INFINITY
    this.#hasEmptyCursor = options.hasEmptyCursor ?? false
  }

  get capabilities(): JsonObject {
    const changes = this.announces ? { listChanged: true } : {}
    return {
      tools: changes,
      ...(this.resources.length + this.templates.length > 0 && {
        resources: { ...changes, subscribe: true },
      }),
      ...(this.prompts.length > 0 && { prompts: changes }),
      logging: {},
      ...(this.runsTasks && {
        extensions: { [TASKS_EXTENSION]: {} },
        tasks: { list: {}, cancel: {}, requests: { tools: { call: {} } } },
      }),
    }
  }

  /** The result of a list method, or `undefined` when `method` is none. */
  list(method: string, cursor: unknown, fault?: ListFault): Outcome | undefined {
    switch (method) {
      case 'tools/list':
        return this.#tools(cursor, fault)
      case 'resources/list':
        return this.#page('resources', this.resources, cursor)
      case 'resources/templates/list':
        return this.#page('resourceTemplates', this.templates, cursor)
      case 'prompts/list':
        return this.#page('prompts', this.prompts, cursor)
      default:
        return undefined
    }
  }

  #tools(cursor: unknown, fault: ListFault | undefined): Outcome {
    if (!fault) return this.#page('tools', this.tools, cursor)
    switch (fault.is) {
      case 'endless_pages': {
        const page = Number(cursor ?? 0)
        return {
          result: `{"tools":[${toolText(`page-${page}`, 'One of a page')}],"nextCursor":"${page + 1}"}`,
        }
      }
      case 'repeated_cursor':
        return { result: `{"tools":[${this.tools.join(',')}],"nextCursor":"again"}` }
      case 'many_tools': {
        const many = Array.from({ length: fault.count }, (_, at) => toolText(`tool-${at}`, 'One of many'))
        return this.#page('tools', many, cursor)
      }
      case 'duplicate_tools': {
        const second = this.tools.map((tool) => toolText(nameOf(tool), 'A second tool of this name'))
        return this.#page('tools', [...this.tools, ...second], cursor)
      }
    }
  }

  #page(member: string, items: readonly string[], cursor: unknown): Outcome {
    const start = this.#startOf(cursor)
    if (start === undefined || start > items.length) return failure(200, -32602, 'Invalid cursor')
    const end = start + this.#pageSize
    const next = end < items.length ? `,"nextCursor":"${this.#cursorOf(end)}"` : ''
    return { result: `{"${member}":[${items.slice(start, end).join(',')}]${next}}` }
  }

  #cursorOf(start: number): string {
    return this.#hasEmptyCursor && start === this.#pageSize ? '' : `from-${start}`
  }

  #startOf(cursor: unknown): number | undefined {
    if (cursor === undefined) return 0
    if (cursor === '' && this.#hasEmptyCursor) return this.#pageSize
    const start = typeof cursor === 'string' && /^from-(\d+)$/.exec(cursor)?.[1]
    return start ? Number(start) : undefined
  }
}

/** A member of a raw JSON object that names it: `name` of a tool, `uri` of a resource. */
export const nameOf = (text: string, member = 'name'): string => String(JSON.parse(text)[member])

const texts = (items: readonly Raw[] = []): string[] =>
  items.map((item) => (typeof item === 'string' ? item : JSON.stringify(item)))
