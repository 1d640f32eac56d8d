/**
 * One refresh of an OAuth credential (RFC 6749, section 6) at the token endpoint that an operator named: never at one
 * that an upstream names (S11). What the endpoint says in its own words goes nowhere.
 */
import type { Clock } from '../platform/clock.ts'
import { type Deadline, timed } from '../platform/deadline.ts'
import { Secret } from '../platform/secret.ts'
import { LIMITS } from '../protocol/limits.ts'
import { isObject } from '../protocol/message.ts'
import { type AddressPolicy, checkAddress } from './address.ts'
import { type Grant, type Rejection, REJECTIONS } from './grant.ts'
import type { Hosts } from './hosts.ts'
import { discard, faultOfStatus, send } from './send.ts'

export type Refreshed =
  | { readonly is: 'refreshed'; readonly grant: Grant }
  | { readonly is: 'rejected'; readonly rejection: Rejection }
  /** Nothing was decided: it may be asked again. `reason`: one clause, of our own words. */
  | { readonly is: 'unreachable'; readonly reason: string; readonly retryAfterMs?: number }

export type RefreshPorts = {
  readonly policy: AddressPolicy
  /** Where names lead (S08, S09). */
  readonly hosts: Pick<Hosts, 'examine'>
  readonly clock: Clock
}

/** `resource`: the address of the upstream that the token is for (RFC 8707). */
export async function refreshGrant(grant: Grant, resource: string, ports: RefreshPorts): Promise<Refreshed> {
  const address = checkAddress(grant.tokenUrl, ports.policy, '/')
  if (!address.ok || (await ports.hosts.examine(address.value.href)) === 'private') return FORBIDDEN
  const ask = (target: string | undefined): Promise<Refreshed> =>
    timed(LIMITS.handshakeTimeoutMs, (deadline) => askOnce(grant, address.value, target, ports, deadline))
  const answer = await ask(resource)
  // Some endpoints know no resource, and say so without having spent anything.
  return answer.is === 'rejected' && KNOWS_NO_RESOURCE.has(answer.rejection) ? await ask(undefined) : answer
}

const KNOWS_NO_RESOURCE: ReadonlySet<Rejection> = new Set(['invalid_target', 'invalid_request'])
const MAX_ANSWER_BYTES = 65_536
/** What a header can hold. */
const TOKEN = /^[\x21-\x7e]{1,8192}$/

async function askOnce(
  grant: Grant,
  { href: url }: URL,
  resource: string | undefined,
  { clock }: RefreshPorts,
  deadline: Deadline,
): Promise<Refreshed> {
  const askedAt = clock()
  const sent = await send({ url, headers: headersFor(grant), body: bodyFor(grant, resource) }, deadline)
  if (!sent.ok) return unreachable('its token endpoint did not answer')
  const { status } = sent.value
  if (status !== 200 && status !== 400 && status !== 401) {
    discard(sent.value)
    const fault = faultOfStatus(sent.value)
    const retryAfterMs = fault && 'retryAfterMs' in fault ? fault.retryAfterMs : undefined
    return unreachable(`its token endpoint answered HTTP ${status}`, retryAfterMs)
  }
  const answer = await readAnswer(sent.value)
  if (!answer) return NO_ANSWER
  return status === 200 ? readTokens(grant, answer, askedAt) : readError(answer)
}

const unreachable = (reason: string, retryAfterMs?: number): Refreshed =>
  retryAfterMs === undefined ? { is: 'unreachable', reason } : { is: 'unreachable', reason, retryAfterMs }

const FORBIDDEN = unreachable('its token endpoint may not be called')
const NO_ANSWER = unreachable('its token endpoint gave no usable answer')

/** A client with a secret authenticates by it (RFC 6749, section 2.3.1); any other only says who it is. */
function headersFor({ clientId, clientSecret }: Grant): Headers {
  const headers = new Headers({
    'content-type': 'application/x-www-form-urlencoded',
    accept: 'application/json',
    'user-agent': 'switchyard',
  })
  if (clientSecret) {
    const pair = [clientId, clientSecret.reveal()].map(encodeForm).join(':')
    headers.set('authorization', `Basic ${btoa(pair)}`)
  }
  return headers
}

const encodeForm = (text: string): string => new URLSearchParams({ '': text }).toString().slice(1)

function bodyFor(
  { refreshToken, clientId, clientSecret, scope }: Grant,
  resource: string | undefined,
): string {
  const form = new URLSearchParams({ grant_type: 'refresh_token', refresh_token: refreshToken.reveal() })
  if (!clientSecret) form.set('client_id', clientId)
  if (scope !== undefined) form.set('scope', scope)
  if (resource !== undefined) form.set('resource', resource)
  return form.toString()
}

/** The JSON object of the body; `undefined`: there is none, or it is too large or never ends. */
async function readAnswer(response: Response): Promise<Readonly<Record<string, unknown>> | undefined> {
  const chunks: Uint8Array[] = []
  let size = 0
  try {
    for await (const chunk of response.body ?? []) {
      size += chunk.length
      if (size > MAX_ANSWER_BYTES) return undefined
      chunks.push(chunk)
    }
    const value: unknown = JSON.parse(await new Blob(chunks).text())
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

/** An endpoint that rotates gives a new refresh token; from any other the old one stays good. */
function readTokens(grant: Grant, answer: Readonly<Record<string, unknown>>, askedAt: number): Refreshed {
  const { access_token: access, refresh_token: refresh, token_type: type, expires_in: seconds } = answer
  if (typeof access !== 'string' || !TOKEN.test(access)) return NO_ANSWER
  if (type !== undefined && String(type).toLowerCase() !== 'bearer') return NO_ANSWER
  const lifeMs = Number(seconds) * 1_000
  return {
    is: 'refreshed',
    grant: {
      ...grant,
      accessToken: new Secret(access),
      refreshToken: typeof refresh === 'string' && refresh !== '' ? new Secret(refresh) : grant.refreshToken,
      receivedAt: askedAt,
      expiresAt: lifeMs > 0 ? askedAt + lifeMs : undefined,
      turn: grant.turn + 1,
    },
  }
}

function readError({ error }: Readonly<Record<string, unknown>>): Refreshed {
  const rejection = REJECTIONS.find((known) => known === error)
  return rejection ? { is: 'rejected', rejection } : NO_ANSWER
}
