/** L5. Clients that stop reading while their upstream goes on sending. */
import { once } from 'node:events'
import { request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { eventually } from '../../../test/support/gateway.ts'
import type { Shot } from '../plan.ts'
import { callShot } from '../request.ts'
import { atMost, exactly, type Row } from '../row.ts'

const READERS = 50
const BUFFER_KIB = 256
/** Until all that can be buffered on the way is. */
const FILLED_AFTER_MS = 5_000
const CUT_WITHIN_MS = 30_000
/** Between two looks at who does not read. */
const SLACK_MS = 5_000

export const slowClients: Row = {
  id: 'L5',
  what: `${READERS} clients that stop reading their streams, which never end`,
  async run({ scale, open }) {
    const { add, heap } = await open()
    const { target, upstream } = await add('service-1', { timeoutMs: 600_000 })
    upstream.dial.clear()
    upstream.dial.set({ is: 'flood', for: 'tools/call' })
    const before = await heap.settled()
    const readers = scale.count(READERS)
    const shot = callShot(target.url, target.tool)
    const stopped = await Promise.all(Array.from({ length: readers }, () => openUnread(shot)))
    const startedAt = performance.now()
    await sleep(FILLED_AFTER_MS)
    const heldKib = ((await heap.settled()) - before) / readers / 1024

    const leftMs = startedAt + CUT_WITHIN_MS + SLACK_MS - performance.now()
    await eventually(leftMs, () => {
      if (upstream.open > 0) throw new Error('streams are still open')
    }).catch(() => undefined)
    const cutAtS = (performance.now() - startedAt) / 1000
    const open_ = upstream.open
    for (const end of stopped) end()
    return [
      atMost('held for each of them', heldKib, BUFFER_KIB, 'KiB'),
      exactly(`not cut after ${cutAtS.toFixed(0)} s`, open_, 0),
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
