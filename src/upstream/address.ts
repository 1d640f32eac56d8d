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
/** Names that no public resolver answers for, or answers only inside a network; each with all names below it. */
const LOCAL_NAMES: ReadonlySet<string> = new Set(
  'localhost localdomain local internal lan intranet corp home private arpa svc onion test invalid'.split(
    ' ',
  ),
)
/** Metadata and credential services of the large clouds. They are refused in development too. */
const METADATA_IPV4: readonly string[] = [
  '169.254.169.254',
  '169.254.170.2',
  '169.254.170.23',
  '100.100.100.200',
]
const METADATA_HOSTS: ReadonlySet<string> = new Set([
  ...METADATA_IPV4,
  '[fd00:ec2::254]',
  '[fd00:ec2::23]',
  '[fd20:ce::254]',
  'metadata.google.internal',
  'metadata.goog',
  'instance-data.ec2.internal',
])
/**
 * The same addresses inside an IPv6 one, as the parser writes them: mapped, compatible, 6to4 and NAT64 forms
 * hold the address itself, Teredo its complement.
 */
const METADATA_IN_IPV6 = new RegExp(
  `[[:](${METADATA_IPV4.flatMap((address) => [hextets(address, 0), hextets(address, 0xff)]).join('|')})[\\]:]`,
)
const FIRST_FREE_PORT = 1_024
/** Ports of other protocols: databases, brokers, remote control, and what browsers refuse to call. */
const FOREIGN_PORTS: ReadonlySet<number> = new Set([
  1433, 1521, 1719, 1720, 1723, 2049, 2375, 2376, 2379, 2380, 3306, 3389, 3659, 4045, 4190, 5060, 5061, 5432,
  5672, 5900, 5985, 5986, 6000, 6379, 6443, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 9042, 9092, 9200,
  9300, 10_080, 10_250, 11_211, 27_017,
])

/** The URL to call, its empty path made `path`; or why this address is refused. */
export function checkAddress(
  text: string,
  policy: AddressPolicy,
  path = '/mcp',
): Result<URL, AddressRefusal> {
  const url = text.length <= MAX_CHARS ? parse(text) : undefined
  // Escaping makes a URL longer than its text.
  if (!url || url.href.length > MAX_CHARS)
    return err({ reason: 'unparsable', detail: 'must be an absolute URL of at most 2048 characters' })
  const refusal = checkParts(url) ?? checkHost(url, policy)
  if (refusal) return err(refusal)
  if (url.pathname === '/') url.pathname = path
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
    // Not echoed: without a scheme, what stands before the first colon may be a user name.
    return { reason: 'scheme', detail: 'must begin with https://' }
  }
  if (url.username !== '' || url.password !== '') {
    return { reason: 'credentials', detail: 'must hold no user name or password, set `auth` instead' }
  }
  if (url.hash !== '' || url.href.endsWith('#'))
    return { reason: 'fragment', detail: 'must hold no fragment' }
  return undefined
}

function checkHost(url: URL, { allowPrivate, ownHosts }: AddressPolicy): AddressRefusal | undefined {
  const host = bare(url.hostname)
  if (ownHosts.some((own) => bare(own) === host))
    return { reason: 'own_host', detail: 'is the gateway itself' }
  if (METADATA_HOSTS.has(host) || METADATA_IN_IPV6.test(host)) {
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

/** A host name as it is compared: lower case, without the dots that end it. */
const bare = (host: string): string => host.toLowerCase().replace(/\.+$/, '')

function isLocalName(host: string): boolean {
  const labels = host.split('.')
  return labels.length < 2 || labels.includes('') || LOCAL_NAMES.has(labels.at(-1) ?? '')
}

/** The two groups of an IPv6 address that hold an IPv4 one, each octet combined with `mask` by xor. */
function hextets(address: string, mask: number): string {
  const [a = 0, b = 0, c = 0, d = 0] = address.split('.').map((octet) => Number(octet) ^ mask)
  return `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`
}

function isForeignPort(port: string): boolean {
  if (port === '') return false
  const number = Number(port)
  return number < FIRST_FREE_PORT || FOREIGN_PORTS.has(number)
}
