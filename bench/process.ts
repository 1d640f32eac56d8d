/** Processes as the kernel counts them (Linux, proc(5)). Synchronous: a reading belongs to its moment. */
import { readdirSync, readFileSync } from 'node:fs'

/** The one process that a keeper (`local/keeper.mjs`) runs. */
export function childOf(keeperPid: number | undefined): number {
  const children = readFileSync(`/proc/${keeperPid}/task/${keeperPid}/children`, 'utf8')
  const pid = Number(children.trim().split(' ')[0])
  if (pid > 0) return pid
  throw new Error(`Process ${keeperPid} keeps no other.`)
}

/** The processor time in ms of all threads that the process has now. */
export function cpuMsOf(pid: number): number {
  const threads = readdirSync(`/proc/${pid}/task`)
  return threads.reduce((sum, thread) => sum + readThreadNs(pid, thread), 0) / 1e6
}

function readThreadNs(pid: number, thread: string): number {
  try {
    return Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0])
  } catch {
    // A thread may end between the listing and this.
    return 0
  }
}
