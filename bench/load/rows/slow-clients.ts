/** L5. Clients that stop reading while their upstream goes on sending. */
import { once } from 'node:events'
import { request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { eventually } from '../../../test/support/gateway.ts'
import type { Shot } from '../plan.ts'
import { PROGRESS_TOKEN, streamShot } from '../request.ts'
import { atMost, exactly, type Row } from '../row.ts'

const READERS = 50
const BUFFER_KIB = 256
/** When what is held is looked at: most buffers on the way are full. */
const LOOK_AFTER_MS = 10_000
const CUT_WITHIN_MS = 30_000
/** Until all buffers on the way are full, nobody can know that they do not read: those of the system take longest. */
const FILLED_WITHIN_MS = 30_000

export const slowClients: Row = {
  id: 'L5',
  what: `${READERS} clients that stop reading their streams, which never end`,
  async run({ scale, openInspected }) {
    const { add, heap } = await openInspected()
    const { target, upstream } = await add('service-1', { timeoutMs: 600_000 })
    upstream.dial.clear()
    upstream.dial.set({ is: 'flood', progressToken: PROGRESS_TOKEN, for: 'tools/call' })
    const before = await heap.settled()
    const readers = scale.count(READERS)
    const shot = streamShot(target.url, target.tool)
    const stopped = await Promise.all(Array.from({ length: readers }, () => openUnread(shot)))
    const startedAt = performance.now()
    await sleep(LOOK_AFTER_MS)
    const heldKib = ((await heap.settled()) - before) / readers / 1024

    const leftMs = startedAt + FILLED_WITHIN_MS + CUT_WITHIN_MS - performance.now()
    await eventually(leftMs, () => {
      if (upstream.open > 0) throw new Error('streams are still open')
    }).catch(() => undefined)
    const cutAtS = (performance.now() - startedAt) / 1000
    const uncut = upstream.open
    for (const end of stopped) end()
    return [
      atMost('held for each of them', heldKib, BUFFER_KIB, 'KiB'),
      exactly(`not cut after ${cutAtS.toFixed(0)} s`, uncut, 0),
    ]
  },
}

/** Sends a request and reads nothing of its answer. Resolves to what ends it. */
async function openUnread({ url, headers, body }: Shot): Promise<() => void> {
  const sending = request(url, { method: 'POST', headers, agent: false })
  sending.end(body)
  const [response] = await once(sending, 'response')
  response.on('error', () => undefined)
  sending.on('error', () => undefined)
  return () => void sending.destroy()
}
