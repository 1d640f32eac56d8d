/** What an object has to do and when. It has one alarm, which is set for whatever comes first; evictions lose nothing. */
export class Agenda<Task extends string> {
  readonly #storage: DurableObjectStorage
  readonly #dueAt: Map<Task, number>

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage
    this.#dueAt = new Map(storage.kv.get<[Task, number][]>(KEY) ?? [])
  }

  isPlanned(task: Task): boolean {
    return this.#dueAt.has(task)
  }

  /** Epoch ms. What is planned already stays where it is sooner. */
  plan(task: Task, at: number): void {
    if ((this.#dueAt.get(task) ?? Number.POSITIVE_INFINITY) <= at) return
    this.#dueAt.set(task, at)
    this.#keep()
  }

  /** What is due by now. It stays planned, for `againAt`, until it is done: whoever does it may be killed meanwhile. */
  begin(now: number, againAt: number): Task[] {
    const due = [...this.#dueAt].filter(([, at]) => at <= now).map(([task]) => task)
    for (const task of due) this.#dueAt.set(task, againAt)
    this.#keep()
    return due
  }

  done(task: Task): void {
    this.#dueAt.delete(task)
    this.#keep()
  }

  #keep(): void {
    this.#storage.kv.put(KEY, [...this.#dueAt])
    const next = Math.min(...this.#dueAt.values())
    if (Number.isFinite(next)) void this.#storage.setAlarm(next)
  }
}

const KEY = 'agenda'
