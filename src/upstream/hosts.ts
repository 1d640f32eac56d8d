/**
 * Whether the names of upstreams lead to public addresses (S08, S09). A verdict is remembered by host, and looked at
 * again in the background while calls use it; a call waits only where nobody has looked in this isolate for long. A
 * Worker cannot pin the address that it connects to, so what a name does between a look and a call is not seen.
 */
import type { Background } from '../platform/background.ts'
import type { Clock } from '../platform/clock.ts'
import type { Resolver } from './resolver.ts'
import { isPublicAddress } from './space.ts'

export const HOSTS = {
  /** A verdict in use is looked at again after this. */
  lookAgainMs: 60_000,
  /** One that is older is waited for. */
  waitAgainMs: 600_000,
  /** A look that came to nothing is repeated after this. */
  awayMs: 5_000,
  maxKnown: 10_000,
  /** Looks that one call may begin; each takes two of the requests that an invocation may make. */
  looksPerCall: 4,
} as const

/** `unknown`: the resolver could not be asked. */
export type Finding = 'public' | 'private' | 'unknown'

type Verdict = { readonly isPrivate: boolean; readonly at: number }

export class Hosts {
  readonly #resolve: Resolver | undefined
  readonly #clock: Clock
  readonly #known = new Map<string, Verdict>()
  #generation = 0

  /** Without a resolver every host counts as public. */
  constructor(resolve: Resolver | undefined, clock: Clock) {
    this.#resolve = resolve
    this.#clock = clock
  }

  /** Changes whenever a verdict does, so that what was decided by an earlier one is decided again. */
  get generation(): number {
    return this.#generation
  }

  /** The last verdict; a host that nobody has looked at may be called. */
  mayCall(url: string): boolean {
    return !this.#known.get(hostOf(url))?.isPrivate
  }

  /** A look of one's own, now: for whoever stores an address. */
  async examine(url: string): Promise<Finding> {
    return this.#resolve ? await this.#look(hostOf(url), this.#resolve) : 'public'
  }

  /** Before a call. What is young enough costs nothing; `undefined`: there is nothing to wait for. */
  review(hosts: readonly string[], background: Background): Promise<unknown> | undefined {
    if (!this.#resolve) return undefined
    const now = this.#clock()
    let awaited: Promise<unknown>[] | undefined
    let looks = 0
    for (const host of hosts) {
      const ageMs = now - (this.#known.get(host)?.at ?? Number.NEGATIVE_INFINITY)
      if (ageMs < HOSTS.lookAgainMs) continue
      if (++looks > HOSTS.looksPerCall) break
      if (ageMs >= HOSTS.waitAgainMs) {
        // Each waits for a look of its own: of a promise of another request it might never hear.
        awaited = [...(awaited ?? []), this.#look(host, this.#resolve)]
      } else {
        this.#postpone(host, now)
        background(this.#look(host, this.#resolve))
      }
    }
    return awaited && Promise.all(awaited)
  }

  async #look(host: string, resolve: Resolver): Promise<Finding> {
    const found = await resolve(host)
    const now = this.#clock()
    if (!found.ok) {
      this.#postpone(host, now)
      return 'unknown'
    }
    const isPrivate = !found.value.every(isPublicAddress)
    this.#keep(host, isPrivate, now)
    return isPrivate ? 'private' : 'public'
  }

  /** The verdict stands; the next look comes soon. */
  #postpone(host: string, now: number): void {
    this.#keep(host, this.#isPrivate(host), now - HOSTS.lookAgainMs + HOSTS.awayMs)
  }

  #isPrivate(host: string): boolean {
    return this.#known.get(host)?.isPrivate ?? false
  }

  #keep(host: string, isPrivate: boolean, at: number): void {
    if (isPrivate !== this.#isPrivate(host)) this.#generation++
    // The oldest goes; what is refused by it is looked at again before its next call.
    if (this.#known.size >= HOSTS.maxKnown && !this.#known.has(host)) {
      const [oldest = ''] = this.#known.keys()
      this.#known.delete(oldest)
    }
    this.#known.set(host, { isPrivate, at })
  }
}

/** The host of an address that was checked. */
export const hostOf = (url: string): string => new URL(url).hostname
