/**
 * The keys that an issuer signs with, held in memory. They are fetched anew before they are old, and when a token names
 * one that is not known, but never more often than once in `betweenMs`, whatever is asked (S51). While the issuer is
 * away those that are held go on counting, within bounds.
 */
import type { JWK } from 'jose'
import type { Background } from '../platform/background.ts'
import type { Clock } from '../platform/clock.ts'
import { wait } from '../platform/deadline.ts'
import { isObject } from '../protocol/message.ts'
import { fetchDocument, type MayCall, metadataUrls } from './document.ts'

export const KEYS = {
  /** Between two fetches. */
  betweenMs: 30_000,
  /** Older ones are fetched anew in the background. */
  freshMs: 300_000,
  /** Older ones are waited for, so that a key which its issuer withdrew is noticed by then. */
  staleMs: 600_000,
  /** Older ones count no more, though the issuer is away. */
  uselessMs: 86_400_000,
  /** All that one fetch may take, and how long is waited for it by who has a key. */
  fetchMs: 5_000,
  refreshWaitMs: 1_000,
  maxCount: 100,
} as const

export type HeldKeys = {
  /** Those that a token may mean. */
  readonly keys: readonly JWK[]
  /** Epoch ms. */
  readonly fetchedAt: number
}

export type IssuerPorts = {
  readonly issuer: string
  readonly mayCall: MayCall
  /** Learns that a fetch gave no keys. */
  readonly onMiss: () => void
  readonly clock: Clock
}

export class IssuerKeys {
  readonly #ports: IssuerPorts
  #held: HeldKeys | undefined
  #startedAt = -Infinity
  #isFetching = false

  constructor(ports: IssuerPorts) {
    this.#ports = ports
  }

  /** The keys of this id, or all for a token that names none; `undefined`: the issuer was never heard, or too long ago. */
  async find(kid: string | undefined, background: Background): Promise<HeldKeys | undefined> {
    const isKnown = this.#keysOf(kid).length > 0
    const ageMs = this.#ageMs()
    if (!isKnown || ageMs > KEYS.freshMs) this.#refresh(background)
    if (!isKnown || ageMs > KEYS.staleMs) await this.#settled(isKnown ? KEYS.refreshWaitMs : KEYS.fetchMs)
    if (!this.#held || this.#ageMs() > KEYS.uselessMs) return undefined
    return { keys: this.#keysOf(kid), fetchedAt: this.#held.fetchedAt }
  }

  #ageMs(): number {
    return this.#ports.clock() - (this.#held?.fetchedAt ?? -Infinity)
  }

  #keysOf(kid: string | undefined): readonly JWK[] {
    const keys = this.#held?.keys ?? []
    return kid === undefined ? keys : keys.filter((key) => key.kid === kid)
  }

  /** Goes on when whoever began it goes away. */
  #refresh(background: Background): void {
    const now = this.#ports.clock()
    if (now - this.#startedAt < KEYS.betweenMs) return
    this.#startedAt = now
    this.#isFetching = true
    background(this.#load())
  }

  async #load(): Promise<void> {
    const keys = await fetchKeys(this.#ports)
    if (keys) this.#held = { keys, fetchedAt: this.#ports.clock() }
    else this.#ports.onMiss()
    this.#isFetching = false
  }

  /** Looks, since a promise that belongs to another request may never be heard of. */
  async #settled(waitMs: number): Promise<void> {
    while (this.#isFetching && this.#ports.clock() - this.#startedAt < waitMs) await wait(LOOK_EVERY_MS)
  }
}

const LOOK_EVERY_MS = 10

/** The issuer must say itself that it is the one that was configured, to the letter (RFC 8414, section 3.3). */
async function fetchKeys({ issuer, mayCall }: IssuerPorts): Promise<readonly JWK[] | undefined> {
  const signal = AbortSignal.timeout(KEYS.fetchMs)
  for (const url of metadataUrls(issuer)) {
    const metadata = await fetchDocument(url, mayCall, signal)
    if (metadata?.['issuer'] !== issuer || typeof metadata['jwks_uri'] !== 'string') continue
    const set = await fetchDocument(metadata['jwks_uri'], mayCall, signal)
    const keys = set?.['keys']
    return Array.isArray(keys) ? keys.filter(isPublicKey).slice(0, KEYS.maxCount) : undefined
  }
  return undefined
}

const KEY_TYPES: readonly unknown[] = ['RSA', 'EC', 'OKP']

/** A shared secret is no key to verify with, whoever publishes it (S17). */
const isPublicKey = (key: unknown): key is JWK => isObject(key) && KEY_TYPES.includes(key['kty'])
