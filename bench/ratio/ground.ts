/**
 * What the rows run on. Opened when it is first asked for and kept to the end, since what runs and is asked nothing
 * takes no time from what is measured.
 */
import { join } from 'node:path'
import { type Contender, OWN } from './contender/contender.ts'
import { type Part, startPart } from './contender/part.ts'
import { BARE, READS, STILL } from './contender/script.ts'
import { startWorker } from './contender/worker.ts'
import { openYard, readUrls, type Yard, type YardOptions } from './contender/yard.ts'
import { PLAIN, type ServiceOffer } from './offer.ts'

type Closeable = { close(): Promise<unknown> }

/** The services of the plain yard, by their places. */
export const SERVICES = { plain: 0, stream: 1, session: 2, limited: 3 } as const

/** What they offer. */
export const PLAIN_OFFERS: readonly ServiceOffer[] = [
  PLAIN,
  { ...PLAIN, answers: 'stream' },
  { ...PLAIN, hasSessions: true },
  // More than is ever asked for: the account is kept, and never overdrawn.
  { ...PLAIN, settings: { rateLimit: { requestsPerMinute: 1_000_000, burstLimit: 100_000 } } },
]

export class Ground {
  /** What `buildBundle` gave. */
  readonly bundleDirectory: string
  readonly #keep: (part: Closeable) => void
  readonly #yards = new Map<string, Promise<Yard>>()
  readonly #contenders = new Map<string, Promise<Contender>>()

  /** `keep` takes what must be closed in the end. */
  constructor(bundleDirectory: string, keep: (part: Closeable) => void) {
    this.bundleDirectory = bundleDirectory
    this.#keep = keep
  }

  /** A few services of few tools, one of each kind. */
  plain(): Promise<Yard> {
    return once(this.#yards, 'plain', () => this.filled(PLAIN_OFFERS))
  }

  /** So many services that have so many tools together. */
  spread(services: number, tools: number): Promise<Yard> {
    const offer: ServiceOffer = { ...PLAIN, tools: tools / services }
    const offers = Array.from({ length: services }, () => offer)
    return once(this.#yards, `${services} ${tools}`, () => this.filled(offers))
  }

  /** One of the row's own, with all services registered. */
  async filled(offers: readonly ServiceOffer[]): Promise<Yard> {
    const yard = await this.yard({ offers })
    await yard.fill()
    return yard
  }

  /** One of the row's own, empty. */
  async yard(options: Omit<YardOptions, 'bundleDirectory'>): Promise<Yard> {
    return this.#kept(await openYard({ ...options, bundleDirectory: this.bundleDirectory }))
  }

  bare(upstream: string): Promise<Contender> {
    return this.#before(upstream, 'bare', BARE)
  }

  reads(upstream: string): Promise<Contender> {
    return this.#before(upstream, 'reads', READS)
  }

  /** Answers everything by this text. */
  async still(body: string): Promise<Contender> {
    const { contender } = this.#kept(await startWorker('static', STILL, { BODY: body }))
    return { ...contender, isGreeted: false }
  }

  naive(upstreams: readonly string[]): Promise<Contender> {
    return once(this.#contenders, `naive ${upstreams.join()}`, async () => {
      const script = join(import.meta.dirname, 'contender/naive.ts')
      const part: Part<readonly string[]> = await startPart(script, [JSON.stringify(upstreams)], readUrls)
      const [url = ''] = this.#kept(part).said
      return { name: 'naive', url, headers: {}, isGreeted: true, lagMs: 0, processes: { [OWN]: part.pid } }
    })
  }

  #before(upstream: string, name: string, script: string): Promise<Contender> {
    return once(this.#contenders, `${name} ${upstream}`, async () => {
      const { contender } = this.#kept(await startWorker(name, script, { UPSTREAM: upstream }))
      return contender
    })
  }

  #kept<T extends Closeable>(part: T): T {
    this.#keep(part)
    return part
  }
}

/** What stands in the map under this key, or now does; what could not be opened is tried again. */
async function once<T>(map: Map<string, Promise<T>>, key: string, open: () => Promise<T>): Promise<T> {
  const opened = map.get(key) ?? open()
  map.set(key, opened)
  try {
    return await opened
  } catch (error) {
    map.delete(key)
    throw error
  }
}

/** The upstream itself, with nothing before it. */
export const direct = (upstream: string): Contender => ({
  name: 'direct',
  url: upstream,
  headers: {},
  isGreeted: true,
  lagMs: 0,
  processes: {},
})
