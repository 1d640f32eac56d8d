/**
 * Which gateway is meant, and with what credential: flags, then the environment, then what `login` stored. Its typed
 * client, and what becomes of its answers.
 */
import { openClient } from '../src/admin/client.ts'
import { type Credential, credentialFile, readCredentials } from './credentials.ts'
import { EXIT, Failure, misuse } from './failure.ts'

export type Environment = Readonly<Record<string, string | undefined>>

export type Place = {
  readonly url: string
  /** Ready to be sent. */
  readonly headers: Readonly<Record<string, string>>
  /** Where the credential is from; absent where there is none. */
  readonly source?: string
}

export const DEFAULT_URL = 'http://127.0.0.1:8787'

const NO_HEADERS = {} as const
const LIST_LIMIT = 1_000

export async function findPlace(env: Environment, url: string | undefined): Promise<Place> {
  const file = credentialFile(env)
  const credentials = await readCredentials(file)
  const place = readUrl(url ?? env['SWITCHYARD_URL'] ?? credentials.url ?? DEFAULT_URL)
  const { SWITCHYARD_API_KEY: apiKey, SWITCHYARD_TOKEN: token } = env
  if (apiKey) return { url: place, headers: headersOf({ apiKey }), source: 'SWITCHYARD_API_KEY' }
  if (token) return { url: place, headers: headersOf({ token }), source: 'SWITCHYARD_TOKEN' }
  const held = credentials.gateways[place]
  return held ? { url: place, headers: headersOf(held), source: file } : { url: place, headers: NO_HEADERS }
}

/** The address of a gateway; its MCP endpoint is taken for it as well. */
export function readUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (!url || !/^https?:$/.test(url.protocol))
    throw misuse(`'${text}' is no address of a gateway: it looks like https://gateway.example`)
  if (url.username !== '' || url.password !== '')
    throw misuse('The address of the gateway must hold no credentials. Run: switchyard login')
  return `${url.origin}${url.pathname.replace(/\/+$/, '').replace(/\/mcp$/, '')}`
}

export function headersOf(credential: Credential): Readonly<Record<string, string>> {
  const [name, value] =
    'apiKey' in credential
      ? ['X-API-Key', credential.apiKey]
      : ['Authorization', `Bearer ${credential.token}`]
  if (!/^[\x20-\x7e]+$/.test(value)) throw misuse('The credential holds characters that no credential has.')
  return { [name]: value }
}

/** A request that says in one sentence why it was not answered. A redirect is not followed: credentials would go along. */
export async function request(url: string | URL, init: RequestInit, timeoutMs: number): Promise<Response> {
  const { origin } = new URL(url)
  const response = await fetch(url, {
    ...init,
    redirect: 'manual',
    signal: AbortSignal.timeout(timeoutMs),
  }).catch((error: unknown) => {
    throw new Failure(describeLoss(error, origin, timeoutMs))
  })
  if (response.status < 300 || response.status >= 400) return response
  const target = response.headers.get('location') ?? 'elsewhere'
  throw new Failure(`${origin} leads to ${target}. Name the gateway itself with --url.`)
}

function describeLoss(error: unknown, origin: string, timeoutMs: number): string {
  if (error instanceof DOMException && error.name === 'TimeoutError')
    return `${origin} did not answer within ${timeoutMs / 1_000} s. Try again, or allow more with --timeout.`
  const cause = error instanceof Error ? error.cause : undefined
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : undefined
  if (code === 'ECONNREFUSED')
    return `Nothing listens at ${origin}. Is the gateway running? Start it with: npm start`
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN')
    return `The name in ${origin} is not known. Look at --url or SWITCHYARD_URL.`
  const reason = cause instanceof Error ? cause.message : error instanceof Error ? error.message : ''
  return `${origin} cannot be reached: ${code ?? reason}.`
}

export type Api = ReturnType<typeof openClient>['api']['v1']

export const openApi = ({ url, headers }: Place, timeoutMs: number): Api =>
  openClient(url, {
    headers: { ...headers, accept: 'application/json' },
    fetch: (target: string | URL | Request, init?: RequestInit) =>
      request(target instanceof Request ? target.url : target, init ?? {}, timeoutMs),
  }).api.v1

/** What was answered, and the text of it as it came. */
export type Answer<T> = { readonly value: T; readonly text: string; readonly etag: string | undefined }

/** A response that is known to hold `T` where it is well. */
export type Typed<T> = Pick<Response, 'ok' | 'status' | 'headers' | 'text'> & { json(): Promise<T> }

/** Throws what the gateway says where it refuses. */
export async function take<T>(asked: Promise<Typed<T>>): Promise<Answer<T>> {
  const response = await asked
  const text = await response.text().catch(() => {
    throw new Failure(
      'The answer of the gateway broke off. Look whether it did what was asked, then try again.',
    )
  })
  if (!response.ok) throw refusalOf(response.status, text)
  try {
    const value: T = JSON.parse(text)
    return { value, text, etag: response.headers.get('etag') ?? undefined }
  } catch {
    throw new Failure('What answers there is no gateway: its answer is not JSON. Look at --url.')
  }
}

/** Of a write that rests on what was read: whoever changed it since has not seen this one, nor this one that change. */
export const onlyIf = (etag: string | undefined): { headers: Record<string, string> } => ({
  headers: etag === undefined ? {} : { 'If-Match': etag },
})

type Listed<Item> = { items: Item[]; nextCursor?: string | undefined }

/** A list with all of its pages. */
export async function takeAll<Item>(
  ask: (query: { limit: string; cursor?: string }) => Promise<Typed<Listed<Item>>>,
  maxItems = Number.POSITIVE_INFINITY,
): Promise<Answer<readonly Item[]>> {
  const items: Item[] = []
  const limit = String(Math.min(LIST_LIMIT, maxItems))
  let page = await take(ask({ limit }))
  items.push(...page.value.items)
  const first = page
  let pages = 1
  while (page.value.nextCursor !== undefined && items.length < maxItems) {
    page = await take(ask({ limit, cursor: page.value.nextCursor }))
    items.push(...page.value.items)
    pages++
  }
  const wanted = items.slice(0, maxItems)
  return {
    value: wanted,
    text: pages === 1 ? first.text : JSON.stringify({ items: wanted }),
    etag: first.etag,
  }
}

/** A refusal, with what the gateway calls it. */
export class Refused extends Failure {
  readonly status: number
  readonly code: string | undefined

  constructor(message: string, status: number, code: string | undefined) {
    super(message, EXIT.failed)
    this.status = status
    this.code = code
  }
}

function refusalOf(status: number, text: string): Refused {
  const problem = readProblem(text)
  const detail = problem.detail ?? `The gateway answered ${status} without a reason. Look at --url.`
  const advice = status === 401 ? ' Run: switchyard login' : ''
  return new Refused(`${detail}${advice}`, status, problem.code)
}

export function readProblem(text: string): { readonly detail?: string; readonly code?: string } {
  try {
    const { detail, code, error }: Record<string, unknown> = JSON.parse(text)
    const said = typeof detail === 'string' ? detail : readError(error)
    return { ...(said !== undefined && { detail: said }), ...(typeof code === 'string' && { code }) }
  } catch {
    return {}
  }
}

/** Refusals at the door have the shape of JSON-RPC. */
function readError(error: unknown): string | undefined {
  if (typeof error === 'string') return `The gateway says: ${error}.`
  if (typeof error !== 'object' || error === null || !('message' in error)) return undefined
  return `The gateway says: ${String(error.message)}.`
}

/** Fit to stand as one segment of a path, which the client puts in as it is. */
export const segment = (text: string): string => {
  if (text === '' || /^\.+$/.test(text)) throw misuse(`'${text}' is no name.`)
  return encodeURIComponent(text)
}
