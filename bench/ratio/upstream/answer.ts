/** What an upstream of the benchmark answers to one message, as text: it is to cost as little as can be. */
import { describeTool, sayAgain, type ServiceOffer, slugOf, toolNames } from '../offer.ts'

const MODERN = '2026-07-28'
const LEGACY = '2025-11-25'
const VERSION_KEY = 'io.modelcontextprotocol/protocolVersion'

export type Message = {
  readonly id?: string | number
  readonly method: string
  readonly params?: {
    readonly name?: string
    readonly protocolVersion?: string
    readonly arguments?: { readonly text?: string; readonly more?: number; readonly data?: string }
    readonly _meta?: Readonly<Record<string, unknown>>
  }
}

export class Answers {
  readonly #slug: string
  readonly #names: ReadonlySet<string>
  readonly #tools: string
  readonly #isLegacy: boolean

  constructor(service: number, offers: readonly ServiceOffer[]) {
    const names = toolNames(service, offers)
    this.#slug = slugOf(service)
    this.#names = new Set(names)
    this.#tools = `"tools":[${names.map((name) => JSON.stringify(describeTool(name))).join(',')}]`
    this.#isLegacy = offers[service]?.hasSessions ?? false
  }

  /** `undefined`: a notification, which has none. */
  to({ id, method, params = {} }: Message): string | undefined {
    if (id === undefined) return undefined
    const isModern = params._meta?.[VERSION_KEY] === MODERN
    const begin = `{"jsonrpc":"2.0","id":${JSON.stringify(id)}`
    const fail = (code: number, message: string): string =>
      `${begin},"error":{"code":${code},"message":"${message}"}}`
    if (isModern && this.#isLegacy) return fail(-32_601, 'Method not found')
    const result = (members: string): string =>
      `${begin},"result":{${isModern ? '"resultType":"complete",' : ''}${members}}}`
    if (method === 'tools/call') {
      const { name = '', arguments: { text = '', more = 0, data = '' } = {} } = params
      if (!this.#names.has(name)) return fail(-32_602, 'Unknown tool')
      const said = JSON.stringify(sayAgain(name, { text, more, data: data.length }))
      return result(`"content":[{"type":"text","text":${said}}]`)
    }
    const lasts = isModern ? '"ttlMs":60000,"cacheScope":"private",' : ''
    const info = `{"name":"${this.#slug}","version":"1"}`
    if (method === 'tools/list') return result(`${lasts}${this.#tools}`)
    if (method === 'ping') return result('')
    if (method === 'initialize')
      return result(
        `"protocolVersion":"${params.protocolVersion ?? LEGACY}","capabilities":{"tools":{}},"serverInfo":${info}`,
      )
    if (method === 'server/discover' && !this.#isLegacy)
      return result(
        `${lasts}"supportedVersions":["${MODERN}"],"capabilities":{"tools":{}},"_meta":{"io.modelcontextprotocol/serverInfo":${info}}`,
      )
    return fail(-32_601, 'Method not found')
  }
}
