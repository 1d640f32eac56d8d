/** Whether the gateway is there, what it says of its own health, and what its answer gives away besides. */
import type { Context } from '../context.ts'
import { Failure } from '../failure.ts'
import { request } from '../gateway.ts'
import { type Finding, note, warning, well, wrong } from './finding.ts'

const MAX_SKEW_MS = 30_000
const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/

const ADVICE: Readonly<Record<string, string>> = {
  database: 'Look at DATABASE_URL and at Postgres itself. Calls go on for 10 minutes, writes do not.',
  cache: 'Look at UPSTASH_REDIS_REST_URL and its token. Everything goes on, with more questions to Postgres.',
}

/** `isThere`: whether it is worth while to ask further. */
export type Look = { readonly findings: readonly Finding[]; readonly isThere: boolean }

export async function lookAtGateway({ place, timeoutMs, now }: Context): Promise<Look> {
  const startedAt = performance.now()
  const response = await request(`${place.url}/health`, {}, timeoutMs).catch(failureOf)
  if (response instanceof Failure)
    return { findings: [wrong('gateway', response.message, 'Look at --url.')], isThere: false }
  const tookMs = Math.round(performance.now() - startedAt)
  const health = readHealth(await response.text())
  if (!health)
    return {
      findings: [wrong('gateway', `What answers at ${place.url} is no gateway.`, 'Look at --url.')],
      isThere: false,
    }
  if (Object.keys(health.dependencies).length === 0)
    return {
      findings: [
        wrong(
          'gateway',
          'It runs without its secrets and refuses everything.',
          'Its log line not_configured names them. Set them: npx wrangler secret put <NAME>',
        ),
      ],
      isThere: false,
    }
  return {
    findings: [
      well('gateway', `${place.url} answered in ${tookMs} ms`),
      ...lookAtTransport(place.url),
      ...lookAtClock(response.headers.get('date'), now),
      ...Object.entries(health.dependencies).map(lookAtDependency),
    ],
    isThere: true,
  }
}

function lookAtDependency([name, state]: readonly [string, unknown]): Finding {
  if (state === 'ok') return well(name, 'reachable')
  return wrong(name, String(state), ADVICE[name] ?? 'Look at its settings and its log.')
}

function lookAtTransport(url: string): Finding[] {
  const { protocol, hostname } = new URL(url)
  if (protocol === 'https:' || LOOPBACK.test(hostname)) return []
  return [warning('transport', 'Credentials travel unprotected over http.', 'Serve the gateway by https.')]
}

function lookAtClock(date: string | null, now: number): Finding[] {
  const theirs = date === null ? Number.NaN : Date.parse(date)
  if (Number.isNaN(theirs)) return [note('clock', 'The gateway does not tell its time.')]
  const skewMs = Math.abs(theirs - now)
  if (skewMs <= MAX_SKEW_MS) return [well('clock', 'as here')]
  return [
    warning(
      'clock',
      `${Math.round(skewMs / 1_000)} s from the time here`,
      'Set the clocks: tokens and keys end by them.',
    ),
  ]
}

function readHealth(text: string): { readonly dependencies: object } | undefined {
  try {
    const { dependencies }: Record<string, unknown> = JSON.parse(text)
    return typeof dependencies === 'object' && dependencies !== null ? { dependencies } : undefined
  } catch {
    return undefined
  }
}

export const failureOf = (error: unknown): Failure => {
  if (error instanceof Failure) return error
  throw error
}
