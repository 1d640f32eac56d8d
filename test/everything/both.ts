/** The same client code, once at the reference server itself and once at it behind the gateway. */
import { TOKEN } from '../support/gateway.ts'
import { startStack } from '../support/stack.ts'
import { startEverything } from './server.ts'

export const SERVICE = 'everything'

export type Place = { readonly url: string; readonly token?: string }

export type Both = Awaited<ReturnType<typeof startBoth>>

export async function startBoth(transport: 'streamableHttp' | 'sse' = 'streamableHttp') {
  const [stack, server] = await Promise.all([startStack(), startEverything(transport)])
  const gateway = await stack.gateway()
  const registered = await gateway.register(SERVICE, server.url)
  if (registered.status !== 201) throw new Error(registered.text)
  return {
    gateway,
    direct: { url: server.url },
    service: { url: `${gateway.url}/mcp/${SERVICE}`, token: TOKEN },
    all: { url: `${gateway.url}/mcp`, token: TOKEN },
    async close(): Promise<void> {
      await stack.close()
      await server.child.close()
    },
  }
}

const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g
const TASK = /\b[0-9a-f]{32}\b/g
const DATE = /\d{4}-\d\d-\d\dT[\d:.]+Z/g
const TIME = /\d{1,2}:\d\d:\d\d [AP]M/g

/** Without what differs from run to run: ids and times, also inside what is encoded. */
export function normalise(value: unknown): unknown {
  const text = JSON.stringify(value, (key, member) => {
    if (key === 'blob') return Buffer.from(String(member), 'base64').toString('latin1')
    return key === 'taskId' ? '<task>' : member
  })
  if (text === undefined) return undefined
  const same = text
    .replace(UUID, '<uuid>')
    .replace(TASK, '<task>')
    .replace(DATE, '<date>')
    .replace(TIME, '<time>')
  return JSON.parse(same)
}
