/** The thread of the clients: one lap after the other, as they are asked for. */
import { parentPort } from 'node:worker_threads'
import { runLap } from './run.ts'

parentPort?.on('message', (plan) => {
  runLap(plan).then(
    (lap) => parentPort?.postMessage({ lap }, []),
    (error: unknown) => {
      const fault = error instanceof Error ? error.message : String(error)
      parentPort?.postMessage({ fault }, [])
    },
  )
})
