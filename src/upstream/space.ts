/**
 * Which numeric addresses are public. Everything that is set aside for special purposes is not (RFC 6890 and the IANA
 * registries that it began): of IPv6 only global unicast is left, without the ways by which it carries IPv4 (S03, S08).
 */

const SPECIAL_IPV4 = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.31.196.0/24',
  '192.52.193.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '192.175.48.0/24',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
].map(readPrefix)

const GLOBAL_IPV6 = readPrefix('2000::/3')
/** Within global unicast: protocol assignments and Teredo, documentation, 6to4, AS112. */
const SPECIAL_IPV6 = ['2001::/23', '2001:db8::/32', '2002::/16', '2620:4f:8000::/48', '3fff::/20'].map(
  readPrefix,
)

type Address = { readonly value: bigint; readonly bits: 32 | 128 }
type Prefix = Address & { readonly length: number }

/** False for what is no address. */
export function isPublicAddress(text: string): boolean {
  const address = readAddress(text)
  if (!address) return false
  const isIn = (prefix: Prefix): boolean => contains(prefix, address)
  return address.bits === 32 ? !SPECIAL_IPV4.some(isIn) : isIn(GLOBAL_IPV6) && !SPECIAL_IPV6.some(isIn)
}

function contains(prefix: Prefix, { value, bits }: Address): boolean {
  const rest = BigInt(bits - prefix.length)
  return prefix.bits === bits && value >> rest === prefix.value >> rest
}

function readAddress(text: string): Address | undefined {
  return text.includes(':') ? readIpv6(text) : readIpv4(text)
}

function readIpv4(text: string): Address | undefined {
  const octets = /^\d{1,3}(\.\d{1,3}){3}$/.test(text) ? text.split('.').map(Number) : []
  if (octets.length !== 4 || octets.some((octet) => octet > 255)) return undefined
  return { value: join(octets, 8), bits: 32 }
}

function readIpv6(text: string): Address | undefined {
  // The parser of URLs knows every spelling, and writes each address in one.
  if (!/^[\da-f:.]{2,45}$/i.test(text) || !URL.canParse(`http://[${text}]`)) return undefined
  const [head = [], tail = []] = new URL(`http://[${text}]`).hostname
    .slice(1, -1)
    .split('::')
    .map((half) => half.split(':').flatMap((group) => (group === '' ? [] : [Number.parseInt(group, 16)])))
  const zeros = Array.from({ length: 8 - head.length - tail.length }, () => 0)
  return { value: join([...head, ...zeros, ...tail], 16), bits: 128 }
}

function join(parts: readonly number[], bits: number): bigint {
  return parts.reduce((value, part) => (value << BigInt(bits)) | BigInt(part), 0n)
}

function readPrefix(text: string): Prefix {
  const [base = '', length] = text.split('/')
  const address = readAddress(base)
  if (!address) throw new Error(`${text} is no prefix`)
  return { ...address, length: Number(length) }
}
