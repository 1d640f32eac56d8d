/** Requests to a fake upstream as any HTTP client would send them, past every gateway. */
import { readEvents } from './event.ts'

export const HEADERS = {
  'content-type': 'application/json',
  accept: 'application/json, text/event-stream',
} as const

export type Asked = {
  readonly params?: object
  readonly headers?: Readonly<Record<string, string>>
  /** Ends the request; after 5 s by default. */
  readonly signal?: AbortSignal
}

/** Calls whatever is at `url()` at the time, always with the id 1. */
export const callerOf = (url: () => string) => {
  const ask = (method: string, { params = {}, headers = {}, signal }: Asked = {}): Promise<Response> =>
    fetch(url(), {
      method: 'POST',
      headers: { ...HEADERS, ...headers },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
      redirect: 'manual',
      signal: signal ?? AbortSignal.timeout(5_000),
    })
  const call = (name: string, given: object = {}, rest: Asked = {}): Promise<Response> =>
    ask('tools/call', { params: { name, arguments: given }, ...rest })
  /** What the tool `echo` says to `fine`. */
  const echo = async (): Promise<string> =>
    (await json(await call('echo', { text: 'fine' }))).result.content[0].text
  /** One page of tools. */
  const names = async (cursor?: string): Promise<{ names: string[]; nextCursor?: string }> => {
    const { result } = await json(await ask('tools/list', { params: { cursor } }))
    return { names: result.tools.map(({ name }: { name: string }) => name), nextCursor: result.nextCursor }
  }
  return { ask, call, echo, names }
}

export const json = async (response: Response): Promise<any> => await response.json()

/** The messages of a stream, or of as much of it as `text` holds. */
export const messages = (text: string): any[] => readEvents(text).map((data) => JSON.parse(data))
