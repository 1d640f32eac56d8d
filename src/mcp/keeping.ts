/**
 * Watches one call of a tool whose results are given again, and keeps what came of it, if it came of the call alone:
 * whole, no error, nothing asked of the caller on the way, nothing changed besides. The caller is told that it is new.
 */
import type { Background } from '../platform/background.ts'
import type { Clock } from '../platform/clock.ts'
import { editMember, readMember } from '../protocol/edit.ts'
import { cut, membersOf } from '../protocol/json.ts'
import type { Border } from '../upstream/border.ts'
import type { Inputs } from '../upstream/input.ts'
import { CACHE_META } from './result-key.ts'
import { RESULT_LIMITS, type Results } from './results.ts'

/** Under which key what comes of a call is kept, and for how long. Plain data. */
export type KeepAs = { readonly key: string; readonly ttlSeconds: number }

type KeepingPorts = { readonly results: Results; readonly clock: Clock }

/** What an upstream may say on the way to a result without having done anything else. */
const HARMLESS: ReadonlySet<string> = new Set(['notifications/progress', 'notifications/message'])

export class Keeping {
  readonly #as: KeepAs
  readonly #ports: KeepingPorts
  readonly #background: Background
  #isAlone = true

  constructor(as: KeepAs, ports: KeepingPorts, background: Background) {
    this.#as = as
    this.#ports = ports
    this.#background = background
  }

  /** The same border, past which nothing goes unseen. */
  border(border: Border): Border {
    return {
      ...border,
      isOpen: false,
      // What is too large to be kept passes as it would otherwise.
      ...(border.isOpen && { opensAboveBytes: RESULT_LIMITS.maxBytes }),
      result: async (raw) => {
        this.#keep(raw)
        return withCacheMeta(await border.result(raw), { status: 'miss' })
      },
      notification: (method, text) => {
        this.#isAlone &&= HARMLESS.has(method)
        return border.notification(method, text)
      },
      request: (asked) => {
        this.#isAlone = false
        return border.request(asked)
      },
    }
  }

  /** The same ways to ask the caller. */
  inputs(inputs: Inputs): Inputs {
    const spoil = (): void => void (this.#isAlone = false)
    switch (inputs.is) {
      case 'none':
        return inputs
      case 'ask':
        return { ...inputs, ask: (asked) => (spoil(), inputs.ask(asked)) }
      case 'park':
        return { ...inputs, park: (standstill) => (spoil(), inputs.park(standstill)) }
    }
  }

  #keep(raw: string): void {
    const ttlSeconds = this.#isAlone ? Math.min(this.#as.ttlSeconds, keepableSeconds(raw)) : 0
    if (ttlSeconds < 1) return
    const { results, clock } = this.#ports
    results.keep(this.#as.key, { result: copyOf(raw), keptAt: clock(), ttlSeconds }, this.#background)
  }
}

/** For how long a result says that it may be given to others; 0: not at all (2026-07-28, "Results", "Caching"). */
export function keepableSeconds(raw: string): number {
  if (raw.length > RESULT_LIMITS.maxBytes || !raw.startsWith('{')) return 0
  const members = membersOf(raw)
  const said = (name: string): string | undefined => {
    const span = members.get(name)
    return span && cut(raw, span)
  }
  const isWhole = [undefined, '"complete"'].includes(said('resultType')) && !members.has('task')
  const isForAll = [undefined, '"public"'].includes(said('cacheScope'))
  const isGood = [undefined, 'false'].includes(said('isError'))
  if (!isWhole || !isForAll || !isGood || belongsToTask(said('_meta'))) return 0
  const ttlMs = said('ttlMs')
  return ttlMs === undefined ? Number.POSITIVE_INFINITY : Math.floor(Number(ttlMs) / 1_000) || 0
}

const belongsToTask = (meta: string | undefined): boolean =>
  meta?.startsWith('{') === true && readMember(meta, ['io.modelcontextprotocol/related-task']) !== undefined

/** A part of a text keeps the whole text in memory. */
const copyOf = (text: string): string => new TextDecoder().decode(new TextEncoder().encode(text))

export type CacheMeta =
  | { readonly status: 'miss' }
  | { readonly status: 'hit'; readonly ageSeconds: number; readonly ttlSeconds: number }

/** Where the result says something of itself that is no object, it stays as it is. */
export function withCacheMeta(result: string, said: CacheMeta): string {
  const text = JSON.stringify(said)
  return editMember(result, ['_meta'], (meta) => {
    if (meta === undefined) return `{${JSON.stringify(CACHE_META)}:${text}}`
    return meta.startsWith('{') ? editMember(meta, [CACHE_META], () => text) : undefined
  })
}
