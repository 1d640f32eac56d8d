/**
 * Upstash's REST API ("REST API", "Pipelining": a command is a JSON array). Its client keeps the status to itself,
 * which tells that the quota is spent (F62), and makes an answer of an abort (F63).
 */

/** What it is given goes out as it is, and comes back as text or number. Each command within `budgetMs`. */
export class UpstashClient {
  /** From the last answer: makes a replica wait until it has what was written through here. */
  #syncToken = ''
  readonly #url: string
  readonly #token: string
  readonly #budgetMs: number

  constructor(url: string, token: string, budgetMs: number) {
    this.#url = url
    this.#token = token
    this.#budgetMs = budgetMs
  }

  /** Throws `StoreRefusal` for everything that is not a result, and what `fetch` throws, also when it is too late. */
  async send(...command: readonly (string | number)[]): Promise<unknown> {
    const response = await fetch(this.#url, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${this.#token}`,
        'content-type': 'application/json',
        'upstash-sync-token': this.#syncToken,
      },
      body: JSON.stringify(command),
      signal: AbortSignal.timeout(this.#budgetMs),
    })
    if (!response.ok) {
      const text = await response.text()
      throw new StoreRefusal(response.status === 429 || QUOTA_SPENT.test(text))
    }
    this.#syncToken = response.headers.get('upstash-sync-token') ?? this.#syncToken
    const answer = await response.json<{ readonly result?: unknown }>()
    return answer.result
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
