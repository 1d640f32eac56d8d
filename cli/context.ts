/** What every command gets: the flags that all have in common, the terminal, and the gateway once it is needed. */
import type { Command } from 'commander'
import { type Api, type Environment, findPlace, openApi, type Place } from './gateway.ts'
import { readSpanMs } from './span.ts'
import { Terminal } from './terminal.ts'

export type Context = {
  readonly env: Environment
  readonly terminal: Terminal
  readonly isJson: boolean
  /** Destructive commands need not ask. */
  readonly isAgreed: boolean
  readonly timeoutMs: number
  readonly now: number
  readonly place: Place
  readonly api: Api
}

type Shared = { url?: string; json?: boolean; yes?: boolean; timeout: string }

export async function contextOf(command: Command): Promise<Context> {
  const { url, json = false, yes = false, timeout } = command.optsWithGlobals<Shared>()
  const { env } = process
  const timeoutMs = readSpanMs(timeout, '--timeout')
  const place = await findPlace(env, url)
  return {
    env,
    terminal: new Terminal(),
    isJson: json,
    isAgreed: yes,
    timeoutMs,
    now: Date.now(),
    place,
    api: openApi(place, timeoutMs),
  }
}
