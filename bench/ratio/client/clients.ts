/** The thread of the clients, from outside. It stays for a whole run, so that its code is warm in every lap. */
import { once } from 'node:events'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { Lap, LapPlan } from './lap.ts'

export type Clients = {
  /** One at a time. Rejects with what was wrong with an answer. */
  run(plan: LapPlan): Promise<Lap>
  close(): Promise<unknown>
}

export function openClients(): Clients {
  const worker = new Worker(join(import.meta.dirname, 'thread.ts'))
  return {
    async run(plan) {
      worker.postMessage(plan, [])
      const [{ lap, fault }] = await once(worker, 'message')
      if (fault !== undefined) throw new Error(fault)
      return lap
    },
    close: () => worker.terminate(),
  }
}
