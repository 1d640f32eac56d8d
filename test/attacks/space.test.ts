/** Which addresses a name may lead to (S03, S08). */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isPublicAddress } from '../../src/upstream/space.ts'

/** The last of each range, too: a prefix that is too long would leave it out. */
const SPECIAL = [
  '0.0.0.0 0.255.255.255 10.0.0.0 10.255.255.255 100.64.0.0 100.127.255.255 127.0.0.1 127.255.255.255',
  '169.254.0.0 169.254.169.254 169.254.255.255 172.16.0.0 172.31.255.255 192.0.0.0 192.0.0.255 192.0.2.1',
  '192.31.196.1 192.52.193.1 192.88.99.1 192.168.0.0 192.168.255.255 192.175.48.1 198.18.0.0 198.19.255.255',
  '198.51.100.1 203.0.113.1 224.0.0.1 239.255.255.255 240.0.0.0 255.255.255.255',
  ':: ::1 ::7f00:1 ::127.0.0.1 ::ffff:127.0.0.1 ::ffff:7f00:1 ::ffff:8.8.8.8 64:ff9b::7f00:1 64:ff9b:1::1',
  '100::1 100:0:0:1::1 2001:: 2001:0:4136:e378:8000:63bf:3fff:fdd2 2001:2::1 2001:1ff::1 2001:db8::1',
  '2002:7f00:1:: 2002:a9fe:a9fe::1 2620:4f:8000::1 3fff::1 3fff:fff::1 5f00::1 fc00::1 fd00:ec2::254 fe80::1',
  'febf::1 fec0::1 ff02::1 4000::1 FE80::1 0:0:0:0:0:0:0:1',
].flatMap((line) => line.split(' '))
const PUBLIC = [
  '1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.0 169.253.255.255',
  '172.15.255.255 172.32.0.0 192.0.1.0 192.0.3.0 192.167.255.255 192.169.0.0 198.17.255.255 198.20.0.0',
  '223.255.255.255 2606:4700::1111 2001:200::1 2001:4860:4860::8888 2001:db7::1 2003::1 2a00:1450::1',
].flatMap((line) => line.split(' '))
const NO_ADDRESS = [
  '',
  'localhost',
  '1.1.1',
  '1.1.1.1.1',
  '256.1.1.1',
  '1.1.1.1 ',
  '0x8.8.8.8',
  '2606:::1',
  ':',
]

describe('an address', () => {
  it.each(SPECIAL)('S03 S08 %s is not public', (text) => expect(isPublicAddress(text)).toBe(false))
  it.each(PUBLIC)('S08 %s is public', (text) => expect(isPublicAddress(text)).toBe(true))
  it.each(NO_ADDRESS)('S08 %j is none, so it is not public', (text) =>
    expect(isPublicAddress(text)).toBe(false),
  )

  it('S03 no IPv6 address that holds an IPv4 one is public', () => {
    const hold = fc.constantFrom(
      (v4: string) => `::${v4}`,
      (v4: string) => `::ffff:${v4}`,
      (v4: string) => `64:ff9b::${v4}`,
      (v4: string) => `2002:${hextets(v4)}::1`,
      (v4: string) => `2001:0:${hextets(v4)}::1`,
    )
    fc.assert(
      fc.property(hold, fc.ipV4(), (held, v4) => {
        expect(isPublicAddress(held(v4))).toBe(false)
      }),
    )
  })
})

function hextets(v4: string): string {
  const [a = 0, b = 0, c = 0, d = 0] = v4.split('.').map(Number)
  return `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`
}
