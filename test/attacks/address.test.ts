import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { checkAddress } from '../../src/upstream/address.ts'

const CLOSED = { allowPrivate: false, ownHosts: ['gateway.example'] }
const OPEN = { ...CLOSED, allowPrivate: true }
const reason = (text: string, policy = CLOSED): string | undefined => {
  const checked = checkAddress(text, policy)
  return checked.ok ? undefined : checked.error.reason
}

describe('addresses of upstreams', () => {
  it.each([
    ['https://mcp.example.com', 'https://mcp.example.com/mcp'],
    ['https://mcp.example.com/', 'https://mcp.example.com/mcp'],
    ['https://mcp.example.com/a/b?x=1', 'https://mcp.example.com/a/b?x=1'],
    ['https://mcp.example.com:8443?x=1', 'https://mcp.example.com:8443/mcp?x=1'],
  ])('accepts %s as %s', (text, href) => {
    const checked = checkAddress(text, CLOSED)
    expect(checked.ok && checked.value.href).toBe(href)
  })

  it.each(['', 'nope', '//a', 'http://', 'https://[::'])('cannot read %j', (text) =>
    expect(reason(text)).toBe('unparsable'),
  )

  it('reads 2,048 characters and no more, as given and as escaped', () => {
    const before = 'https://a.example/'
    expect(reason(before.padEnd(2_048, 'a'))).toBeUndefined()
    expect(reason(before.padEnd(2_049, 'a'))).toBe('unparsable')
    expect(reason(before.padStart(2_049, ' '))).toBe('unparsable')
    expect(reason(`${before}${'€'.repeat(700)}`)).toBe('unparsable')
  })

  it.each(['http://mcp.example.com', 'http://169.254.169.254/'])('S01 refuses %s', (text) =>
    expect(reason(text)).toMatch(/scheme|address/),
  )

  it.each(['0x7f.1', '0177.0.0.1', '2130706433', '127.1', '１２７.０.０.１', '10.0.0.1', '8.8.8.8'])(
    'S02 refuses address %s however it is spelled',
    (host) => expect(reason(`https://${host}/`)).toBe('address'),
  )

  it.each([
    '::1',
    '::ffff:7f00:1',
    '::7f00:1',
    '64:ff9b::a9fe:a9fe',
    '2002:a9fe:a9fe::1',
    '2001:0::1',
    'fec0::1',
    'fc00::1',
    'fe80::1',
    '2606:4700::1',
  ])('S03 refuses IPv6 literal %s', (host) => expect(reason(`https://[${host}]/`)).toBe('address'))

  it.each([
    'localhost',
    'localhost.',
    'x.localhost',
    'printer.local',
    'db.internal',
    'intranet',
    'shop',
    'nas.home.arpa',
    'home.arpa',
    'localhost.localdomain',
    '1.0.0.127.in-addr.arpa',
    'api.default.svc',
    'hidden.onion',
    'ⓛocalhost',
    'a..example',
  ])('S04 refuses name %s', (host) => expect(reason(`https://${host}/`)).toBe('name'))
  it.each(['metadata.google.internal', 'METADATA.google.internal.', 'metadata.goog'])(
    'S04 refuses metadata name %s',
    (host) => expect(reason(`https://${host}/`)).toBe('address'),
  )

  it.each([
    ['https://user:pass@a.example/', 'credentials'],
    ['https://a.example/#x', 'fragment'],
    ['https://a.example:22/', 'port'],
    ['https://a.example:6379/', 'port'],
    ['https://a.example:0/', 'port'],
    ['https://a.example:2376/', 'port'],
    ['https://a.example:5060/', 'port'],
    ['https://a.example:6667/', 'port'],
    ['https://a.example:10250/', 'port'],
    ['javascript:alert(1)', 'scheme'],
    ['data:text/plain,x', 'scheme'],
    ['file:///etc/passwd', 'scheme'],
    ['ws://a.example/', 'scheme'],
  ])('S05 refuses %s', (text, expected) => expect(reason(text)).toBe(expected))

  it.each([
    'https://secret-user:hunter2@a.example/',
    'secret-user:hunter2@a.example',
    'secret-user:hunter2@[',
  ])('S05 never echoes the credential of %s', (text) => {
    const checked = checkAddress(text, CLOSED)
    expect(checked.ok).toBe(false)
    expect(JSON.stringify(checked)).not.toMatch(/hunter2|secret-user/)
  })

  it('S10 refuses the gateway itself', () => {
    expect(reason('https://gateway.example/mcp')).toBe('own_host')
    expect(reason('https://GATEWAY.example./mcp')).toBe('own_host')
    const policy = { allowPrivate: false, ownHosts: ['Gateway.EXAMPLE.'] }
    expect(reason('https://gateway.example/mcp', policy)).toBe('own_host')
    expect(reason('https://gateway.example/mcp', { ...policy, allowPrivate: true })).toBe('own_host')
  })

  it.each([
    ['http://user:pass@a/', 'credentials'],
    ['http://a/#x', 'fragment'],
    ['file:///etc/passwd', 'scheme'],
    ['ws://a/', 'scheme'],
    ['http://./', 'name'],
  ])('development still refuses %s', (text, expected) => expect(reason(text, OPEN)).toBe(expected))

  it.each(['http://127.0.0.1:3002', 'http://localhost:3002/mcp', 'http://shop:3000', 'https://[::1]:1/'])(
    'development allows %s',
    (text) => expect(reason(text, OPEN)).toBeUndefined(),
  )

  it.each([
    'http://169.254.169.254/',
    'http://0xa9fea9fe/',
    'http://[::ffff:169.254.169.254]/',
    'http://[64:ff9b::a9fe:a9fe]/',
    'http://[2002:a9fe:a9fe::1]/',
    'http://[fd00:ec2::254]/',
    'http://metadata.google.internal./',
    'http://metadata.goog/',
    'http://[2001:0:4136:e378:8000:63bf:5601:5601]/',
    'http://[fd20:ce::254]/',
    'http://100.100.100.200/',
    'http://[::ffff:100.100.100.200]/',
    'http://169.254.170.2/',
  ])('development still refuses the metadata address %s', (text) =>
    expect(reason(text, OPEN)).toBe('address'),
  )

  it('no spelling of an IPv4 address passes', () => {
    const part = fc.constantFrom<(n: number) => string>(
      (n) => String(n),
      (n) => `0x${n.toString(16)}`,
      (n) => `0${n.toString(8)}`,
    )
    const octet = fc.nat(255)
    fc.assert(
      fc.property(
        octet,
        octet,
        octet,
        octet,
        part,
        part,
        part,
        part,
        fc.nat(3),
        (a, b, c, d, w, x, y, z, form) => {
          const tail = [d, c * 256 + d, b * 65_536 + c * 256 + d, ((a * 256 + b) * 256 + c) * 256 + d]
          const heads = [[w(a), x(b), y(c)], [w(a), x(b)], [w(a)], []]
          const host = [...(heads[form] ?? []), z(tail[form] ?? 0)].join('.')
          expect(reason(`https://${host}/`)).toBe('address')
        },
      ),
    )
  })
})
