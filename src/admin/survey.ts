/** What the guards of many services know, asked side by side. */
import type { Clock } from '../platform/clock.ts'
import { within } from '../platform/deadline.ts'
import { Slots } from '../platform/slots.ts'
import type { ServiceRecord } from '../registry/image.ts'
import type { Figures, ServiceFigures } from './figures.ts'

/** `figures`: absent where the guard did not answer in time. */
export type Surveyed = { readonly service: ServiceRecord; readonly figures: ServiceFigures | undefined }

export type SurveyPorts = { readonly glance: Figures; readonly clock: Clock }

/** What is asked at once, and how long it may take. A guard that does not answer is left out. */
const surveyPolicy = {
  sideBySide: 16,
  budgetMs: 500,
  /** Less than the ten seconds that Prometheus waits for by default. */
  wholeMs: 5_000,
  /** An invocation may ask a thousand times. */
  maxGuards: 900,
  /** However often somebody looks, guards are asked no more often than this. */
  lifetimeMs: 1_000,
} as const

type Held = { readonly at: number; readonly surveyed: Promise<readonly Surveyed[]> }

export class Survey {
  readonly #ports: SurveyPorts
  /** For each list of services, which is that of one snapshot. */
  readonly #held = new WeakMap<readonly ServiceRecord[], Held>()

  constructor(ports: SurveyPorts) {
    this.#ports = ports
  }

  /** In the order of `services`. Whoever gets the promise keeps it alive: others may wait for it. */
  of(services: readonly ServiceRecord[]): Promise<readonly Surveyed[]> {
    const at = this.#ports.clock()
    const held = this.#held.get(services)
    if (held && at - held.at < surveyPolicy.lifetimeMs) return held.surveyed
    const surveyed = this.#ask(services, at + surveyPolicy.wholeMs)
    this.#held.set(services, { at, surveyed })
    return surveyed
  }

  #ask(services: readonly ServiceRecord[], until: number): Promise<readonly Surveyed[]> {
    const { glance, clock } = this.#ports
    const slots = new Slots(surveyPolicy.sideBySide)
    const ask = async (service: ServiceRecord): Promise<Surveyed> => {
      const budgetMs = Math.min(surveyPolicy.budgetMs, until - clock())
      const answer = budgetMs > 0 ? await within(budgetMs, glance(service)) : undefined
      return { service, figures: answer?.ok ? answer.value : undefined }
    }
    return Promise.all(
      services.map((service, at) =>
        at < surveyPolicy.maxGuards ? slots.use(() => ask(service)) : { service, figures: undefined },
      ),
    )
  }
}
