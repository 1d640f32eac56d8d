/**
 * A part of the benchmark in a process of its own, so that its processor time is told apart: what it says when it is
 * ready, and what it can be asked afterwards. Both sides of that stand here.
 */
import { once } from 'node:events'
import { createServer } from 'node:http'
import { type Child, startChild } from '../../../local/child.ts'
import { childOf } from '../../process.ts'

const READY_WITHIN_MS = 30_000

/** What a part can be asked: by path, with the text of the query. */
export type Questions = Readonly<Record<string, (query: URLSearchParams) => object>>

export type Part<Said> = {
  readonly said: Said
  readonly pid: number
  ask(question: string): Promise<Readonly<Record<string, number>>>
  close(): Promise<void>
}

/** Called by the part itself, once. */
export async function tell(said: object, questions: Questions = {}): Promise<void> {
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://part')
    const answer = questions[url.pathname.slice(1)]
    response.writeHead(answer ? 200 : 404).end(JSON.stringify(answer?.(url.searchParams) ?? {}))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : 0
  console.log(JSON.stringify({ said, desk: `http://127.0.0.1:${port}` }))
}

/** `read` makes of what was told what is expected. */
export async function startPart<Said>(
  script: string,
  args: readonly string[],
  read: (said: unknown) => Said,
): Promise<Part<Said>> {
  const line = Promise.withResolvers<string>()
  let text = ''
  const sink = (chunk: string): void => {
    text += chunk
    const [first, ...rest] = text.split('\n')
    if (rest.length > 0) line.resolve(first ?? '')
  }
  const child = startChild({ command: process.execPath, args: [script, ...args], sink })
  const timer = setTimeout(() => line.reject(new Error(`${script} said nothing in time.`)), READY_WITHIN_MS)
  const ended = child.exited.then(() => endedEarly(script, child))
  try {
    const { said, desk } = JSON.parse(await Promise.race([line.promise, ended]))
    return {
      said: read(said),
      pid: childOf(child.pid),
      ask: async (question) => JSON.parse(await (await fetch(`${desk}/${question}`)).text()),
      close: () => child.close(),
    }
  } catch (error) {
    await child.close()
    throw error
  } finally {
    clearTimeout(timer)
    ended.catch(() => undefined)
  }
}

function endedEarly(script: string, child: Child): never {
  throw new Error(`${script} ended at its start:\n${child.lastWords()}`)
}
