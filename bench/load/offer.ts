/** Runs a plan in the thread of the load generator. */
import { once } from 'node:events'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { Load, Plan, Sample } from './plan.ts'

const GENERATOR = join(import.meta.dirname, 'generator.ts')
const PATIENCE_MS = 60_000

/** Resolves when every request was answered or given up; rejects when the generator itself fails. */
export async function offer(loads: readonly Load[], patienceMs = PATIENCE_MS): Promise<readonly Sample[]> {
  const plan: Plan = { loads, patienceMs }
  const worker = new Worker(GENERATOR, { workerData: plan })
  const [samples] = await once(worker, 'message')
  await worker.terminate()
  return samples
}
