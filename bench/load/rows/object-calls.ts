/** L8. How often a call costs the way to its service's Durable Object, by the gateway's own count. */
import { offer } from '../offer.ts'
import { callShot } from '../request.ts'
import { atMost, type Figure, type Row } from '../row.ts'
import type { Service, Yard } from '../yard.ts'

const RARE = { ratePerSecond: 0.5, forMs: 60_000, most: 1 } as const
const BUSY = { ratePerSecond: 20, forMs: 30_000, most: 0.25 } as const

export const objectCalls: Row = {
  id: 'L8',
  what: `Durable Object calls per tools/call, at ${RARE.ratePerSecond} and ${BUSY.ratePerSecond} calls/s`,
  async run({ scale, open }) {
    const yard = await open()
    const service = await yard.add('service-1')
    // Rates are what this row is about: a smaller run is a shorter one.
    const measure = async ({ ratePerSecond, forMs, most }: typeof RARE | typeof BUSY): Promise<Figure> => {
      const { target } = service
      const shot = callShot(target.url, target.tool)
      const before = await countAdmits(yard, service)
      const samples = await offer([
        { kind: 'call', shot, ratePerSecond, fromMs: 0, forMs: Math.max(scale.ms(forMs), 5_000) },
      ])
      const admits = (await countAdmits(yard, service)) - before
      return atMost(`at ${ratePerSecond} calls/s`, admits / samples.length, most, 'per call')
    }
    return [await measure(RARE), await measure(BUSY)]
  },
}

async function countAdmits({ gateway }: Yard, { name }: Service): Promise<number> {
  const { status, body } = await gateway.manage('GET', `/mcp/services/${name}/metrics`)
  const admits = body?.counts?.admits
  if (status === 200 && typeof admits === 'number') return admits
  throw new Error(`the gateway does not count its calls to Durable Objects (metrics: ${status})`)
}
