/**
 * A copy in this isolate's memory of something that is committed elsewhere, and how old it may get (architecture.md,
 * section 4). Requests read memory. The shared version is looked at after responses; a request waits for a look only
 * when the last good one is older than `staleAfterMs`.
 */
import type { Background } from './background.ts'
import type { Clock } from './clock.ts'
import { within } from './deadline.ts'
import { err, ok, type Result } from './result.ts'

/** Why the truth says nothing. `behind`: its tables are not those that this release knows. */
export type TruthLoss = 'away' | 'behind'

/** What is copied: plain data, and which state of it. */
export type Versioned = { readonly version: number }

/** Where versions and images come from. `undefined`: not there, or out of reach; never thrown. */
export interface ReplicaSource<Image extends Versioned> {
  /** The version last published, from the quick store. */
  publishedVersion(): Promise<number | undefined>
  /** The image published as this version, from the quick store. */
  publishedImage(version: number): Promise<Image | undefined>
  /** The version of the last committed write, from the truth. */
  committedVersion(): Promise<Result<number, TruthLoss>>
  /** The image as committed, from the truth. */
  committedImage(): Promise<Result<Image, TruthLoss>>
  /** Shows image and version to the other isolates; may fail unseen, the scheduled handler repeats it. */
  publish(image: Image): Promise<void>
}

export const FRESHNESS = {
  /** Between two looks at the shared version. */
  lookEveryMs: 1_000,
  /** Between two looks at the truth while the quick store is away. */
  lookAtTruthEveryMs: 2_000,
  /** Older than this without a successful look: a request waits for one, so that a change holds everywhere by then. */
  staleAfterMs: 2_000,
  /** How long a request waits for a look while it has something to serve, and while it has nothing (F52). */
  waitMs: 500,
  firstWaitMs: 2_000,
  /** A look that has not settled by then never will: longer than all budgets of one look together. */
  lostAfterMs: 10_000,
} as const

export type Unavailable = { readonly why: 'unavailable'; readonly retryAfterMs: number }

export type ReplicaOptions<Image extends Versioned, View extends Versioned> = {
  /** An image, made ready to answer from. */
  readonly open: (image: Image) => View
  /** How old what is held may get without a successful look before it is served no more (F53). */
  readonly uselessAfterMs: (view: View) => number
}

export class Replica<Image extends Versioned, View extends Versioned> {
  #view: View | undefined
  /** When the last look succeeded, was started, and reached for the truth. */
  #seenAt = -Infinity
  #lookedAt = -Infinity
  #lookedAtTruthAt = -Infinity
  #look: Promise<void> | undefined

  readonly #source: ReplicaSource<Image>
  readonly #options: ReplicaOptions<Image, View>
  readonly #clock: Clock

  constructor(source: ReplicaSource<Image>, options: ReplicaOptions<Image, View>, clock: Clock) {
    this.#source = source
    this.#options = options
    this.#clock = clock
  }

  /** What to answer from, at once, where that is fresh. */
  fresh(background: Background): View | undefined {
    const now = this.#clock()
    if (!this.#view || now - this.#seenAt > FRESHNESS.staleAfterMs) return undefined
    if (now - this.#lookedAt >= FRESHNESS.lookEveryMs) void this.look(background)
    return this.#view
  }

  /** What to answer from. Old news is refused with `unavailable`. */
  async current(background: Background): Promise<Result<View, Unavailable>> {
    const fresh = this.fresh(background)
    if (fresh) return ok(fresh)
    const now = this.#clock()
    if (!this.#view || now - this.#lookedAt >= FRESHNESS.lookEveryMs) {
      const look = this.look(background)
      // A look that hangs delays nobody but those who come while it is young.
      const ageMs = now - this.#lookedAt
      if (!this.#view) await within(FRESHNESS.firstWaitMs, look)
      else if (ageMs < FRESHNESS.waitMs) await within(FRESHNESS.waitMs - ageMs, look)
    }
    const view = this.#view
    if (view && now - this.#seenAt <= this.#options.uselessAfterMs(view)) return ok(view)
    return err({ why: 'unavailable', retryAfterMs: 1_000 })
  }

  /** What this isolate holds, whatever its age; for health reports. */
  get held(): { readonly snapshot: View | undefined; readonly ageMs: number } {
    return { snapshot: this.#view, ageMs: this.#clock() - this.#seenAt }
  }

  /** As committed right now: for operators, who must see their own writes wherever they land. */
  async committed(background: Background): Promise<Result<View, TruthLoss>> {
    const version = await this.#source.committedVersion()
    if (!version.ok) return version
    if (this.#view && this.#view.version >= version.value) return ok(this.#view)
    return await this.reload(background)
  }

  /** After a write here: what was committed, at once in this isolate, then published to the others. */
  async reload(background: Background): Promise<Result<View, TruthLoss>> {
    const image = await this.#source.committedImage()
    if (!image.ok) return image
    const view = this.#install(image.value)
    background(this.#source.publish(image.value))
    return ok(view)
  }

  /** Publishes again what a crash between commit and publication left unpublished. */
  async heal(): Promise<void> {
    const [published, committed] = await Promise.all([
      this.#source.publishedVersion(),
      this.#source.committedVersion(),
    ])
    if (!committed.ok || (published !== undefined && published >= committed.value)) return
    const image = await this.#source.committedImage()
    if (image.ok) await this.#source.publish(image.value)
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
    const look: Promise<void> = this.#lookOnce(background).finally(() => {
      if (this.#look === look) this.#look = undefined
    })
    this.#look = look
    background(look)
    return look
  }

  async #lookOnce(background: Background): Promise<void> {
    this.#lookedAt = this.#clock()
    const published = await this.#source.publishedVersion()
    // A replica that lags behind what was seen here is not believed (F66).
    const isNews = published !== undefined && published >= (this.#view?.version ?? 0)
    const version = isNews ? published : await this.#versionFromTruth()
    if (version === undefined) return
    if (!this.#view || version > this.#view.version) {
      const image = isNews ? await this.#publishedOrCommitted(version, background) : await this.#committed()
      if (!image) return
      this.#install(image)
    }
    this.#seenAt = this.#clock()
  }

  /** An image that was lost or does not open is published anew, or every isolate would load it from the truth (F64). */
  async #publishedOrCommitted(version: number, background: Background): Promise<Image | undefined> {
    const published = await this.#source.publishedImage(version)
    if (published) return published
    const image = await this.#committed()
    if (image) background(this.#source.publish(image))
    return image
  }

  async #committed(): Promise<Image | undefined> {
    const image = await this.#source.committedImage()
    return image.ok ? image.value : undefined
  }

  async #versionFromTruth(): Promise<number | undefined> {
    const now = this.#clock()
    if (now - this.#lookedAtTruthAt < FRESHNESS.lookAtTruthEveryMs) return undefined
    this.#lookedAtTruthAt = now
    const version = await this.#source.committedVersion()
    return version.ok ? version.value : undefined
  }

  /** Versions only go forward; a replica that lags behind changes nothing (F66). */
  #install(image: Image): View {
    this.#seenAt = this.#clock()
    if (this.#view && image.version < this.#view.version) return this.#view
    this.#view = this.#options.open(image)
    return this.#view
  }
}
