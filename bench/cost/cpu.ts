/** The processor time of the gateway's process, as the kernel counts it (Linux, proc(5)). */
import { readFile } from 'node:fs/promises'

/** Of one tick, as Linux tells it to programs on every common platform. */
const TICK_MS = 10

/** User and system time in ms of the one process that `keeperPid` runs. */
export async function cpuMsOf(keeperPid: number): Promise<number> {
  const children = await readFile(`/proc/${keeperPid}/task/${keeperPid}/children`, 'utf8')
  const [pid = ''] = children.trim().split(' ')
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
  // The second field is a name in brackets, which may hold spaces; user and system time are fields 14 and 15.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS
}
