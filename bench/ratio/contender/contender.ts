/** Who takes part in a comparison. */

export type Contender = {
  /** `gateway`, or what it is compared with. */
  readonly name: string
  /** Its MCP endpoint. */
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  /** Whether it can be greeted, as every legacy client does first. */
  readonly isGreeted: boolean
  /** So long after an answer it may still be busy with it. */
  readonly lagMs: number
  /** Processes whose processor time its requests take, by what they are. */
  readonly processes: Readonly<Record<string, number>>
}

/** The name of a contender's own process among its processes. */
export const OWN = 'own'
export const STORES = 'stores'
