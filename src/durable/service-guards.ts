/** The guard of each service, which all isolates ask, on Durable Objects. What its absence means: `guard/teller.ts`. */
import type { Admission, AdmitRequest, Limits } from '../guard/admission.ts'
import type { CredentialAnswer, CredentialQuestion } from '../mcp/credential.ts'
import type { Clock } from '../platform/clock.ts'
import type { Result } from '../platform/result.ts'
import { type ServiceRecord, writeKey } from '../registry/image.ts'
import type { Namespaces } from './objects.ts'
import type { Loss, Reach } from './reach.ts'
import type { GuardView, ServiceGuardObject } from './service-guard.ts'

const WATCH_AGAIN_MS = 20_000
const MISMATCH_AGAIN_MS = 30_000
const MAX_WATCHED = 10_000

export class ServiceGuards {
  readonly #namespace: Namespaces['SERVICE_GUARD']
  readonly #reach: Reach
  readonly #clock: Clock
  readonly #watchedAt = new Map<string, number>()
  readonly #mismatchedAt = new Map<string, number>()

  constructor(namespace: Namespaces['SERVICE_GUARD'], reach: Reach, clock: Clock) {
    this.#namespace = namespace
    this.#reach = reach
    this.#clock = clock
  }

  /** Has these services heard for a while; each at most once in a while, whoever asks. */
  async watch(services: readonly ServiceRecord[]): Promise<void> {
    const now = this.#clock()
    const due = services.filter((service) => {
      const { catalogue } = service
      const isDue =
        now - (this.#watchedAt.get(writeKey(service)) ?? Number.NEGATIVE_INFINITY) > WATCH_AGAIN_MS
      return (
        isDue && catalogue !== undefined && mayAnnounce(catalogue.capabilities + catalogue.legacyCapabilities)
      )
    })
    if (this.#watchedAt.size >= MAX_WATCHED) this.#watchedAt.clear()
    const keys = due.map(writeKey)
    for (const key of keys) this.#watchedAt.set(key, now)
    await Promise.all(keys.map((key) => this.#reach.again(() => this.#object(key).watch(key))))
  }

  /** Asked once more where that helps; a report whose first way was lost may then count twice (F43). */
  ask(key: string, request: AdmitRequest): Promise<Result<Admission, Loss>> {
    return this.#reach.again(async () => ({ ...(await this.#object(key).admit(key, request)) }))
  }

  view(key: string, limits: Limits): Promise<Result<GuardView, Loss>> {
    return this.#reach.again(async () => ({ ...(await this.#object(key).view(key, limits)) }))
  }

  glance(key: string, limits: Limits): Promise<Result<GuardView, Loss>> {
    return this.#reach.again(async () => ({ ...(await this.#object(key).glance(limits)) }))
  }

  /** Asked once more whatever was lost: the object knows what it has done. */
  async refreshCredential(question: CredentialQuestion): Promise<Result<CredentialAnswer, Loss>> {
    const key = writeKey(question.service)
    const ask = (): Promise<Result<CredentialAnswer, Loss>> =>
      this.#reach.again(async () => ({ ...(await this.#object(key).refreshCredential(key, question)) }))
    const asked = await ask()
    return asked.ok || asked.error === 'overloaded' ? asked : await ask()
  }

  /** An operator has seen the service work. */
  async forgive(service: ServiceRecord): Promise<void> {
    await this.#reach.again(() => this.#object(writeKey(service)).forgive())
  }

  async noteChange(service: ServiceRecord): Promise<void> {
    const key = writeKey(service)
    await this.#reach.again(() => this.#object(key).noteChange(key))
  }

  /** Callers can bring this about at will, so it is passed on only once in a while. */
  async noteMismatch(service: ServiceRecord): Promise<void> {
    const now = this.#clock()
    const key = writeKey(service)
    if (now - (this.#mismatchedAt.get(key) ?? Number.NEGATIVE_INFINITY) < MISMATCH_AGAIN_MS) return
    if (this.#mismatchedAt.size >= MAX_WATCHED) this.#mismatchedAt.clear()
    this.#mismatchedAt.set(key, now)
    await this.noteChange(service)
  }

  #object(key: string): DurableObjectStub<ServiceGuardObject> {
    return this.#namespace.get(this.#namespace.idFromName(key))
  }
}

/** Only what announces its changes is listened to. */
const mayAnnounce = (capabilities: string): boolean => /"listChanged"\s*:\s*true/.test(capabilities)
