/** What ten thousand tools take in the heap of an isolate that has listed and called them. */
import { findFreePort } from '../../../local/port.ts'
import { openHeap } from '../../load/heap.ts'
import { PLAIN, toolName } from '../offer.ts'
import type { Row } from '../row.ts'

const SERVICES = 10
const TOOLS = 10_000
const GOAL_MIB = 64
const MIB = 1_048_576

export const memory: Row = {
  id: 'memory',
  what: `the heap with ${TOOLS} tools, over an empty registry`,
  isInQuick: false,
  async run({ ground }) {
    const inspectorAddress = `127.0.0.1:${await findFreePort()}`
    const offers = Array.from({ length: SERVICES }, () => ({ ...PLAIN, tools: TOOLS / SERVICES }))
    const yard = await ground.yard({ offers, inspectorAddress })
    const { gateway } = yard
    const heap = await openHeap(inspectorAddress, () => gateway.fetch('/nothing').catch(() => undefined))
    await gateway.toolNames()
    const empty = await heap.settled()
    await yard.fill()
    const listed = await gateway.toolNames()
    if (listed.length !== TOOLS) throw new Error(`${listed.length} of ${TOOLS} tools were listed.`)
    for (let service = 0; service < SERVICES; service++)
      await gateway.rpc('tools/call', { name: toolName(service, 0), arguments: { text: 'hi' } })
    const full = await heap.settled()
    heap.close()
    await yard.close()
    return [
      {
        what: `heap, ${TOOLS} tools`,
        value: (full - empty) / MIB,
        unit: 'MiB',
        better: 'less',
        goal: GOAL_MIB,
      },
      { what: 'heap, no tools', value: empty / MIB, unit: 'MiB', better: 'less' },
    ]
  },
}
