/** As many calls as fast as they are answered, so many at a time, over kept connections; every answer is checked. */
import { Agent, request } from 'node:http'
import type { Shot } from '../load/plan.ts'

export type BurstOptions = { readonly calls: number; readonly atOnce: number }

/** The time that it took in ms. Throws when one answer is no result. */
export async function burst(shot: Shot, { calls, atOnce }: BurstOptions): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: atOnce })
  const startedAt = performance.now()
  let begun = 0
  const lane = async (): Promise<void> => {
    while (begun++ < calls) await send(shot, agent)
  }
  await Promise.all(Array.from({ length: atOnce }, lane))
  const tookMs = performance.now() - startedAt
  agent.destroy()
  return tookMs
}

function send({ url, headers, body }: Shot, agent: Agent): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const init = { method: 'POST', agent, headers: { ...headers, 'content-length': String(body.length) } }
  const sending = request(url, init, (response) => {
    let text = ''
    response.setEncoding('utf8')
    response.on('data', (chunk: string) => (text += chunk))
    response.on('error', reject)
    response.on('end', () => {
      if (JSON.parse(text).result?.content?.[0]?.text === 'hi') resolve()
      else reject(new Error(`An answer was no result: ${response.statusCode} ${text.slice(0, 200)}`))
    })
  })
  sending.on('error', reject)
  sending.end(body)
  return promise
}
