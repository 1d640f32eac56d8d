/** The reference server of the protocol's authors, as its package runs it, in a process of its own. */
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { type Child, startChild } from '../../local/child.ts'

const PACKAGE = createRequire(import.meta.url).resolve('@modelcontextprotocol/server-everything/package.json')
const READY_WITHIN_MS = 20_000

const PATHS = { streamableHttp: 'mcp', sse: 'sse' } as const

export type Everything = { readonly url: string; readonly child: Child }

/** Resolves when it listens, on any free port of this machine alone. */
export async function startEverything(transport: keyof typeof PATHS = 'streamableHttp'): Promise<Everything> {
  const preload = join(import.meta.dirname, 'loopback.ts')
  const entry = join(dirname(PACKAGE), 'dist/index.js')
  const listening = Promise.withResolvers<string>()
  let said = ''
  const sink = (text: string): void => {
    said += text
    const found = /^listening at (\d+)$/m.exec(said)?.[1]
    if (found !== undefined) listening.resolve(found)
  }
  const child = startChild({
    command: process.execPath,
    args: ['--import', preload, entry, transport],
    sink,
  })
  const late = setTimeout(() => listening.reject(new Error(child.lastWords())), READY_WITHIN_MS)
  const port = await listening.promise.finally(() => clearTimeout(late))
  return { url: `http://127.0.0.1:${port}/${PATHS[transport]}`, child }
}
