/**
 * Which addresses the gateway may call (S01–S05, S10). Checked on the parsed URL, since the parser turns every
 * spelling of an IPv4 address into the plain one. By default: https, a public name, no address literals at all.
 * A name that resolves to a private address is not seen here; on the edge such space is not routed (S08).
 */
import { err, ok, type Result } from '../platform/result.ts'

export type AddressPolicy = {
  /** Development only: http, private addresses, single-label names and any port. */
  readonly allowPrivate: boolean
  /** Host names of the gateway itself; calling one would be a loop. */
  readonly ownHosts: readonly string[]
}

export type AddressRefusal = {
  readonly reason:
    | 'unparsable'
    | 'scheme'
    | 'credentials'
    | 'fragment'
    | 'port'
    | 'address'
    | 'name'
    | 'own_host'
  /** One sentence: what is wrong and what to do. Never echoes a credential. */
  readonly detail: string
}

const MAX_CHARS = 2_048
const IPV4 = /^\d+\.\d+\.\d+\.\d+$/
const LOCAL_SUFFIXES = ['localhost', 'local', 'internal', 'home.arpa', 'lan', 'intranet', 'corp', 'home']
const METADATA_HOSTS: ReadonlySet<string> = new Set([
  '169.254.169.254',
  '[fd00:ec2::254]',
  'metadata.google.internal',
])
/** Ports of other protocols that answer to an HTTP request in their own way. */
const FIRST_FREE_PORT = 1_024
const FOREIGN_PORTS: ReadonlySet<number> = new Set([
  1433, 1521, 2049, 2375, 2379, 3306, 3389, 5432, 5672, 5900, 6379, 9042, 9092, 9200, 11_211, 27_017,
])

/** The URL to call, its empty path made `/mcp`; or why this address is refused. */
export function checkAddress(text: string, policy: AddressPolicy): Result<URL, AddressRefusal> {
  const url = text.length <= MAX_CHARS ? parse(text) : undefined
  if (!url) return err({ reason: 'unparsable', detail: 'must be an absolute URL of at most 2048 characters' })
  const refusal = checkParts(url) ?? checkHost(url, policy)
  if (refusal) return err(refusal)
  if (url.pathname === '/') url.pathname = '/mcp'
  return ok(url)
}

function parse(text: string): URL | undefined {
  try {
    return new URL(text)
  } catch {
    return undefined
  }
}

function checkParts(url: URL): AddressRefusal | undefined {
  if (url.protocol !== 'https:' && url.protocol !== 'http:') {
    return { reason: 'scheme', detail: `scheme '${url.protocol}' is not allowed, use https` }
  }
  if (url.username !== '' || url.password !== '') {
    return { reason: 'credentials', detail: 'must hold no user name or password, set `auth` instead' }
  }
  if (url.hash !== '' || url.href.endsWith('#'))
    return { reason: 'fragment', detail: 'must hold no fragment' }
  return undefined
}

function checkHost(url: URL, { allowPrivate, ownHosts }: AddressPolicy): AddressRefusal | undefined {
  const host = url.hostname.replace(/\.+$/, '')
  if (ownHosts.includes(host)) return { reason: 'own_host', detail: 'is the gateway itself' }
  if (METADATA_HOSTS.has(host) || isMappedMetadata(host)) {
    return { reason: 'address', detail: 'is the metadata service of a cloud, which is never called' }
  }
  if (allowPrivate) return host === '' ? { reason: 'name', detail: 'has no host name' } : undefined
  if (url.protocol !== 'https:') return { reason: 'scheme', detail: 'must use https' }
  if (IPV4.test(host) || host.startsWith('[')) {
    return { reason: 'address', detail: 'must name its host, address literals are not allowed' }
  }
  if (isLocalName(host)) return { reason: 'name', detail: `host '${host}' is not a public name` }
  return isForeignPort(url.port)
    ? { reason: 'port', detail: `port ${url.port} is not allowed, use 443` }
    : undefined
}

/** The metadata address inside IPv6: mapped, compatible, 6to4 and NAT64 forms, as the parser writes them. */
const isMappedMetadata = (host: string): boolean => /(^\[|:)a9fe:a9fe(\]|:)/.test(host)

function isLocalName(host: string): boolean {
  const labels = host.split('.')
  return labels.length < 2 || LOCAL_SUFFIXES.some((suffix) => host.endsWith(`.${suffix}`))
}

function isForeignPort(port: string): boolean {
  if (port === '') return false
  const number = Number(port)
  return number < FIRST_FREE_PORT || FOREIGN_PORTS.has(number)
}
