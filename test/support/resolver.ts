/** A resolver that speaks DNS over HTTPS in its JSON form, and says of names what a test wants. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import { portOf } from './canary.ts'

export type StubResolver = {
  readonly url: string
  /** Addresses by name; a name that is not here does not exist. */
  readonly names: Map<string, readonly string[]>
  /** Every question so far: name and type. */
  readonly asked: string[]
  /** What it says instead of any answer; `cut`: nothing. */
  fault: { readonly status: number; readonly body: string } | 'cut' | undefined
  /** How long each answer takes. */
  delayMs: number
  close(): Promise<void>
}

const TYPES: Readonly<Record<string, number>> = { A: 1, AAAA: 28 }
const ALIAS = 5

export async function startResolver(): Promise<StubResolver> {
  const names: StubResolver['names'] = new Map()
  const asked: string[] = []
  const server = createServer((request, response) => {
    const { searchParams } = new URL(request.url ?? '/', 'http://resolver')
    const [name, type] = [searchParams.get('name') ?? '', searchParams.get('type') ?? '']
    asked.push(`${name} ${type}`)
    const { fault } = resolver
    if (fault === 'cut') return void response.destroy()
    if (fault) return void response.writeHead(fault.status).end(fault.body)
    const addresses = names.get(name)
    const own = (addresses ?? []).filter((address) => address.includes(':') === (type === 'AAAA'))
    const records = own.map((data) => ({ name: 'alias.example', type: TYPES[type], TTL: 1, data }))
    const answer = [{ name, type: ALIAS, TTL: 1, data: 'alias.example' }, ...records]
    const body = { Status: addresses ? 0 : 3, ...(addresses && { Answer: answer }) }
    response.writeHead(200, { 'content-type': 'application/dns-json' })
    setTimeout(() => response.end(JSON.stringify(body)), resolver.delayMs)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const resolver: StubResolver = {
    url: `http://127.0.0.1:${portOf(server)}/dns-query`,
    names,
    asked,
    fault: undefined,
    delayMs: 0,
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
  return resolver
}
