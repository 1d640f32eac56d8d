/**
 * Upstash's client with our own request beneath it. The client's keeps the status to itself, and the status tells
 * that the quota is spent (F62); it also makes an answer of an abort (F63).
 */
import { Redis, type UpstashRequest, type UpstashResponse } from '@upstash/redis/cloudflare'

/** What it is given goes out as it is, and comes back as text or number. Each command within `budgetMs`. */
export class UpstashClient extends Redis {
  constructor(url: string, token: string, budgetMs: number) {
    super({
      url,
      token,
      automaticDeserialization: false,
      enableTelemetry: false,
      enableAutoPipelining: false,
    })
    this.client = new UpstashWire(url, token, budgetMs)
  }
}

/** Says nothing of the command or of the answer: both may hold what no log may show (S58). */
export class StoreRefusal extends Error {
  readonly isQuotaSpent: boolean

  constructor(isQuotaSpent: boolean) {
    super('The quick store refused a command.')
    this.isQuotaSpent = isQuotaSpent
  }
}

/** What the errors of the daily and the monthly limit begin with; only Redis's text tells them from others. */
const QUOTA_SPENT = /^\{\s*"error"\s*:\s*"ERR max (?:\w+ )?requests? limit exceeded/

class UpstashWire {
  /** From the last answer: makes a replica wait until it has what was written through here. */
  upstashSyncToken = ''
  readonly #url: string
  readonly #token: string
  readonly #budgetMs: number

  constructor(url: string, token: string, budgetMs: number) {
    this.#url = url
    this.#token = token
    this.#budgetMs = budgetMs
  }

  /** Throws `StoreRefusal` for everything that is not a result, and what `fetch` throws, also when it is too late. */
  async request<T>({ body }: UpstashRequest): Promise<UpstashResponse<T>> {
    const response = await fetch(this.#url, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${this.#token}`,
        'content-type': 'application/json',
        'upstash-sync-token': this.upstashSyncToken,
      },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(this.#budgetMs),
    })
    if (!response.ok) {
      const text = await response.text()
      throw new StoreRefusal(response.status === 429 || QUOTA_SPENT.test(text))
    }
    this.upstashSyncToken = response.headers.get('upstash-sync-token') ?? this.upstashSyncToken
    return await response.json<UpstashResponse<T>>()
  }
}
