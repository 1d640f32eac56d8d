/**
 * The registry of one organisation as this isolate sees it: a snapshot in memory, and how old it may get
 * (architecture.md, section 4). Requests read memory. The shared version is looked at after responses; a
 * request waits for a look only when the last good one is older than `staleAfterMs`.
 */
import type { Background } from '../platform/background.ts'
import type { Clock } from '../platform/clock.ts'
import { within } from '../platform/deadline.ts'
import { err, ok, type Result } from '../platform/result.ts'
import type { RegistryImage } from './image.ts'
import { Snapshot } from './snapshot.ts'

/** Where versions and images come from. `undefined`: not there, or out of reach; never thrown. */
export interface RegistrySource {
  /** The version last published, from the quick store. */
  publishedVersion(): Promise<number | undefined>
  /** The image published as this version, from the quick store. */
  publishedImage(version: number): Promise<RegistryImage | undefined>
  /** The version of the last committed write, from the truth. */
  committedVersion(): Promise<number | undefined>
  /** The registry as committed, from the truth. */
  committedImage(): Promise<RegistryImage | undefined>
  /** Shows image and version to the other isolates; may fail unseen, the scheduled handler repeats it. */
  publish(image: RegistryImage): Promise<void>
}

export const FRESHNESS = {
  /** Between two looks at the shared version. */
  lookEveryMs: 1_000,
  /** Between two looks at the truth while the quick store is away. */
  lookAtTruthEveryMs: 2_000,
  /** Older than this without a successful look: a request waits for one. */
  staleAfterMs: 5_000,
  /** A catalogue older than this without a successful look is served no more (F53). */
  uselessAfterMs: 600_000,
  /** How long a request waits for a look while it has something to serve, and while it has nothing (F52). */
  waitMs: 500,
  firstWaitMs: 5_000,
  /** A look that has not settled by then never will. */
  lostAfterMs: 20_000,
} as const

export type Unavailable = { readonly why: 'unavailable'; readonly retryAfterMs: number }

export class Registry {
  #snapshot: Snapshot | undefined
  /** When the last look succeeded, was started, and reached for the truth. */
  #seenAt = -Infinity
  #lookedAt = -Infinity
  #lookedAtTruthAt = -Infinity
  #look: Promise<void> | undefined

  readonly #source: RegistrySource
  readonly #clock: Clock

  constructor(source: RegistrySource, clock: Clock) {
    this.#source = source
    this.#clock = clock
  }

  /** The snapshot to answer from. Old news is refused with `unavailable`. */
  async current(background: Background): Promise<Result<Snapshot, Unavailable>> {
    const now = this.#clock()
    const isDue = now - this.#lookedAt >= FRESHNESS.lookEveryMs
    if (this.#snapshot && now - this.#seenAt <= FRESHNESS.staleAfterMs) {
      if (isDue) void this.look(background)
      return ok(this.#snapshot)
    }
    if (isDue || !this.#snapshot) {
      const look = this.look(background)
      await within(this.#snapshot ? FRESHNESS.waitMs : FRESHNESS.firstWaitMs, look)
    }
    if (this.#snapshot && now - this.#seenAt <= FRESHNESS.uselessAfterMs) return ok(this.#snapshot)
    return err({ why: 'unavailable', retryAfterMs: 1_000 })
  }

  /** What this isolate holds, whatever its age; for health reports. */
  get held(): { readonly snapshot: Snapshot | undefined; readonly ageMs: number } {
    return { snapshot: this.#snapshot, ageMs: this.#clock() - this.#seenAt }
  }

  /** The registry as committed right now: for operators, who must see their own writes wherever they land. */
  async committed(background: Background): Promise<Result<Snapshot, Unavailable>> {
    const version = await this.#source.committedVersion()
    if (version === undefined) return err({ why: 'unavailable', retryAfterMs: 1_000 })
    if (this.#snapshot && this.#snapshot.version >= version) return ok(this.#snapshot)
    return await this.reload(background)
  }

  /** After a write here: the committed registry, at once in this isolate, then published to the others. */
  async reload(background: Background): Promise<Result<Snapshot, Unavailable>> {
    const image = await this.#source.committedImage()
    if (!image) return err({ why: 'unavailable', retryAfterMs: 1_000 })
    this.#install(image)
    background(this.#source.publish(image))
    return this.#snapshot ? ok(this.#snapshot) : err({ why: 'unavailable', retryAfterMs: 1_000 })
  }

  /** Publishes again what a crash between commit and publication left unpublished. */
  async heal(): Promise<void> {
    const [published, committed] = await Promise.all([
      this.#source.publishedVersion(),
      this.#source.committedVersion(),
    ])
    if (committed === undefined || (published !== undefined && published >= committed)) return
    const image = await this.#source.committedImage()
    if (image) await this.#source.publish(image)
  }

  /** A look, unless there was one in this time. */
  async freshen(maxAgeMs: number, background: Background): Promise<void> {
    if (this.#clock() - this.#lookedAt >= maxAgeMs) await this.look(background)
  }

  /**
   * One look at the shared version, and the newer image if there is one. Single-flight, so it goes on when whoever
   * began it goes away. One that was killed half-way all the same never settles, and is given up for lost when it
   * is overdue: whoever must go on waits for it with a limit.
   */
  look(background: Background): Promise<void> {
    const isLost = this.#clock() - this.#lookedAt > FRESHNESS.lostAfterMs
    if (this.#look && !isLost) return this.#look
    const look: Promise<void> = this.#lookOnce().finally(() => {
      if (this.#look === look) this.#look = undefined
    })
    this.#look = look
    background(look)
    return look
  }

  async #lookOnce(): Promise<void> {
    this.#lookedAt = this.#clock()
    const version = (await this.#source.publishedVersion()) ?? (await this.#versionFromTruth())
    if (version === undefined) return
    if (!this.#snapshot || version > this.#snapshot.version) {
      const image = (await this.#source.publishedImage(version)) ?? (await this.#source.committedImage())
      if (!image) return
      this.#install(image)
    }
    this.#seenAt = this.#clock()
  }

  async #versionFromTruth(): Promise<number | undefined> {
    const now = this.#clock()
    if (now - this.#lookedAtTruthAt < FRESHNESS.lookAtTruthEveryMs) return undefined
    this.#lookedAtTruthAt = now
    return await this.#source.committedVersion()
  }

  /** Versions only go forward; a replica that lags behind changes nothing (F66). */
  #install(image: RegistryImage): void {
    if (!this.#snapshot || image.version >= this.#snapshot.version) this.#snapshot = new Snapshot(image)
    this.#seenAt = this.#clock()
  }
}
