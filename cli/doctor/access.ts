/** Whether the credential opens the gateway, its tables are those of its release, and clients of both eras are served. */
import { isModernVersion, META, MODERN_VERSION, NEWEST_LEGACY_VERSION } from '../../src/protocol/version.ts'
import type { Context } from '../context.ts'
import { Failure } from '../failure.ts'
import { type Place, Refused, request, take } from '../gateway.ts'
import { type Finding, note, warning, well, wrong } from './finding.ts'
import { failureOf } from './gateway.ts'

/** Where the browser part of the MCP Inspector runs. */
export const INSPECTOR_ORIGIN = 'http://localhost:6274'

export async function lookAtAccess({ api, place }: Context): Promise<readonly Finding[]> {
  if (place.source === undefined)
    return [wrong('credential', 'There is none.', 'Run: switchyard login, or set SWITCHYARD_API_KEY.')]
  const seen = await take(api.audit.$get({ query: { limit: '1' } })).catch(failureOf)
  if (!(seen instanceof Refused)) {
    return seen instanceof Failure
      ? [wrong('credential', seen.message, 'Try again.')]
      : [
          well('credential', `of ${place.source}, manages everything`),
          well('schema', 'as this release needs it'),
        ]
  }
  if (seen.code === 'schema_behind')
    return [wrong('schema', seen.message, 'Run npm run db:migrate with its DATABASE_URL.')]
  if (seen.status === 401)
    return [
      wrong('credential', `The one of ${place.source} is not known, or has ended.`, 'Run: switchyard login'),
    ]
  if (seen.status === 403)
    return [
      warning(
        'credential',
        `The one of ${place.source} may not manage everything.`,
        'Use one with the role admin.',
      ),
    ]
  return [wrong('management', seen.message, 'The log of the gateway says more.')]
}

export async function lookAtEras(context: Context): Promise<readonly Finding[]> {
  const modern = await ask(context, 'server/discover', {
    _meta: { [META.version]: MODERN_VERSION, [META.capabilities]: {} },
  })
  const legacy = await ask(context, 'initialize', {
    protocolVersion: NEWEST_LEGACY_VERSION,
    capabilities: {},
    clientInfo: { name: 'switchyard-doctor', version: '1' },
  })
  const served = [
    ...(Array.isArray(modern['supportedVersions']) ? modern['supportedVersions'].map(String) : []),
    ...(typeof legacy['protocolVersion'] === 'string' ? [legacy['protocolVersion']] : []),
  ]
  const versions = [...new Set(served)].toSorted().toReversed()
  const isModern = versions.some(isModernVersion)
  const isLegacy = versions.some((version) => !isModernVersion(version))
  if (isModern && isLegacy) return [well('versions', versions.join(', '))]
  const lacking = [isModern ? [] : 'modern', isLegacy ? [] : 'legacy'].flat().join(' and ')
  const advice = 'This credential may open the management API alone; try one of an agent.'
  return [warning('versions', `No answer to ${lacking} clients at ${context.place.url}/mcp.`, advice)]
}

export async function lookAtOrigin(
  { place, timeoutMs }: Context,
  origin: string | undefined,
): Promise<readonly Finding[]> {
  const asked = origin ?? INSPECTOR_ORIGIN
  const headers = {
    origin: asked,
    'access-control-request-method': 'POST',
    'access-control-request-headers': 'authorization, content-type',
  }
  const response = await request(`${place.url}/mcp`, { method: 'OPTIONS', headers }, timeoutMs).catch(
    failureOf,
  )
  const isAllowed = response instanceof Response && response.headers.has('access-control-allow-origin')
  if (isAllowed) return [well('browsers', `pages of ${asked} may connect`)]
  const detail = `pages of ${asked} may not connect; ALLOWED_ORIGINS names those that may`
  return origin === undefined
    ? [note('browsers', detail)]
    : [wrong('browsers', detail, `Add ${origin} to ALLOWED_ORIGINS.`)]
}

/** The result, or nothing. */
async function ask({ place, timeoutMs }: Context, method: string, params: object): Promise<Members> {
  const response = await request(`${place.url}/mcp`, requestOf(place, method, params), timeoutMs).catch(
    failureOf,
  )
  if (response instanceof Failure) return {}
  const text = await response.text()
  try {
    // By event stream it is the last line of data.
    const data = text.startsWith('{') ? text : (/^data: ?(\{.*)$/m.exec(text)?.[1] ?? '{}')
    const { result }: { result?: Members } = JSON.parse(data)
    return result ?? {}
  } catch {
    return {}
  }
}

type Members = Readonly<Record<string, unknown>>

function requestOf({ headers }: Place, method: string, params: object): RequestInit {
  const isModern = '_meta' in params
  return {
    method: 'POST',
    headers: {
      ...headers,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...(isModern && { 'mcp-protocol-version': MODERN_VERSION, 'mcp-method': method }),
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
  }
}
