/** The process of all upstreams of one yard. Its argument: their offers as JSON. Tells their addresses in one line. */
import { tell } from '../contender/part.ts'
import type { ServiceOffer } from '../offer.ts'
import { listen } from './server.ts'

const offers: readonly ServiceOffer[] = JSON.parse(process.argv[2] ?? '[]')
const servers = await Promise.all(offers.map((_, service) => listen(service, offers)))
await tell(
  { urls: servers.map(({ url }) => url) },
  { count: () => ({ requests: servers.reduce((sum, { requests }) => sum + requests(), 0) }) },
)
