/**
 * What the upstreams on the official SDKs have in common: what they offer, what they ask of their callers, and a
 * ledger of what ran. The servers themselves are in sdk-legacy.ts and sdk-modern.ts.
 */
import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { Era } from '../../src/protocol/version.ts'

/** What a tool can ask of its caller in the middle of a call. */
export const ASKS = {
  form: {
    method: 'elicitation/create',
    params: {
      message: 'Which colour?',
      requestedSchema: {
        type: 'object',
        properties: { colour: { type: 'string', title: 'Colour' } },
        required: ['colour'],
      },
    },
  },
  url: {
    method: 'elicitation/create',
    params: { mode: 'url', message: 'Please pay', url: 'https://pay.example/1' },
  },
  sampling: {
    method: 'sampling/createMessage',
    params: { messages: [{ role: 'user', content: { type: 'text', text: 'Say a word' } }], maxTokens: 10 },
  },
  roots: { method: 'roots/list', params: {} },
} as const

export type Ask = keyof typeof ASKS

export const ASK_KINDS = ['form', 'url', 'sampling', 'roots'] as const

/** Values that the argument `word` of prompts and templates completes to. */
export const WORDS = ['alpha', 'beta', 'gamma'] as const

/** How often each tool, prompt and resource was entered, and how often it had its effect. */
export class Ledger {
  readonly #entered = new Map<string, number>()
  readonly #done = new Map<string, number>()

  enter(name: string): void {
    this.#entered.set(name, this.entered(name) + 1)
  }

  finish(name: string): void {
    this.#done.set(name, this.done(name) + 1)
  }

  /** A modern handler is entered once in each round of a call. */
  entered(name: string): number {
    return this.#entered.get(name) ?? 0
  }

  done(name: string): number {
    return this.#done.get(name) ?? 0
  }
}

/** What can change while clients listen. */
export type Kind = 'tool' | 'prompt' | 'resource'

export type SdkUpstream = {
  readonly era: Era
  readonly url: string
  readonly ledger: Ledger
  /** Calls of the tool `hang` whose caller has let go of them. */
  readonly cancelled: () => number
  /** Adds something of this kind under this name, and tells whoever listens. */
  readonly add: (kind: Kind, name: string) => void
  /** Tells whoever subscribed to the resource that it has changed. */
  readonly update: (uri: string) => void
  readonly close: () => Promise<void>
}

/** The URI of a resource of the upstream of this era, where both share one registry. */
export const uriOf = (era: Era, name: string): string => `note://${era}/${name}`

/** An HTTP server on a port of its own. */
export async function listenOn(serve: RequestListener): Promise<{ url: string; close: () => Promise<void> }> {
  const server = createServer(serve)
  // Callers that keep connections decide how long.
  server.keepAliveTimeout = 0
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : 0
  return {
    url: `http://127.0.0.1:${port}/mcp`,
    close: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
