/**
 * L8. How often a call costs the way to its service's Durable Object, by the gateway's own count: questions, which a
 * call may wait for, and reports, which nobody waits for and which must be made within a second.
 */
import { offer } from '../offer.ts'
import { callShot } from '../request.ts'
import { atMost, type Row, told } from '../row.ts'
import type { Service, Yard } from '../yard.ts'

const RARE = { ratePerSecond: 0.5, forMs: 60_000 } as const
const BUSY = { ratePerSecond: 20, forMs: 30_000 } as const

type Counts = { readonly admits: number; readonly reports: number }

export const objectCalls: Row = {
  id: 'L8',
  what: `Durable Object calls per tools/call, at ${RARE.ratePerSecond} and ${BUSY.ratePerSecond} calls/s`,
  async run({ scale, open }) {
    const yard = await open()
    const service = await yard.add('service-1')
    // Rates are what this row is about: a smaller run is a shorter one.
    const measure = async ({ ratePerSecond, forMs }: typeof RARE | typeof BUSY): Promise<Counts> => {
      const { target } = service
      const shot = callShot(target.url, target.tool)
      const before = await countsOf(yard, service)
      const samples = await offer([
        { kind: 'call', shot, ratePerSecond, fromMs: 0, forMs: Math.max(scale.ms(forMs), 5_000) },
      ])
      const after = await countsOf(yard, service)
      return {
        admits: (after.admits - before.admits) / samples.length,
        reports: (after.reports - before.reports) / samples.length,
      }
    }
    const [rare, busy] = [await measure(RARE), await measure(BUSY)]
    return [
      atMost(`questions at ${RARE.ratePerSecond} calls/s`, rare.admits, 1, 'per call'),
      told(`reports at ${RARE.ratePerSecond} calls/s`, rare.reports, 'per call'),
      atMost(`both at ${BUSY.ratePerSecond} calls/s`, busy.admits + busy.reports, 0.25, 'per call'),
    ]
  },
}

async function countsOf({ gateway }: Yard, { name }: Service): Promise<Counts> {
  const { status, body } = await gateway.manage('GET', `/mcp/services/${name}/metrics`)
  const { admits, reports } = body?.counts ?? {}
  if (status === 200 && typeof admits === 'number' && typeof reports === 'number') return { admits, reports }
  throw new Error(`the gateway does not count its calls to Durable Objects (metrics: ${status})`)
}
