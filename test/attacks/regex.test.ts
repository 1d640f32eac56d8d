/**
 * Our own expressions and readers take a time that grows with their input, not with its square (S50). Judged by ten
 * times the input, which would take a hundred times as long.
 */
import { describe, expect, it } from 'vitest'
import { checkSlug, fitName } from '../../src/registry/name.ts'
import { readTemplate } from '../../src/registry/template.ts'
import { readCredential } from '../../src/identity/credential.ts'
import { acceptsJson, acceptsStream, BODY, climb, ENTRY, isAllowedHost } from '../../src/protocol/door.ts'
import { echo } from '../../src/protocol/echo.ts'
import { decodeHeader, encodeHeader } from '../../src/protocol/header.ts'
import { hopsOf } from '../../src/protocol/hops.ts'
import { EventReader, writeEvent } from '../../src/protocol/sse.ts'
import { checkAddress } from '../../src/upstream/address.ts'
import { isPublicAddress } from '../../src/upstream/space.ts'

const MAX_RATIO = 50
/** What else the machine does disturbs each time that is taken, and not the best of those that fit into this. */
const PATIENCE_MS = 3_000
/** A shorter time is no measure. */
const LEAST_MS = 0.02

function timeOf(work: () => unknown): number {
  const begunAt = performance.now()
  work()
  return performance.now() - begunAt
}

function expectLinear(make: (length: number) => string, work: (text: string) => unknown): void {
  const [short, long] = [make(5_000), make(50_000)]
  work(short)
  let [shortMs, longMs] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]
  for (const until = performance.now() + PATIENCE_MS; performance.now() < until;) {
    shortMs = Math.min(
      shortMs,
      timeOf(() => work(short)),
    )
    longMs = Math.min(
      longMs,
      timeOf(() => work(long)),
    )
    if (longMs < MAX_RATIO * Math.max(LEAST_MS, shortMs)) return
  }
  expect(longMs).toBeLessThan(MAX_RATIO * Math.max(LEAST_MS, shortMs))
}

const header = (name: string, value: string) => {
  const headers = new Headers({ [name]: value })
  return { httpMethod: 'POST', headers, allowedOrigins: ['https://ok.example'] }
}
const policy = { allowPrivate: false, ownHosts: [] }

describe('a header of 50 KB', () => {
  const inner = [
    ['spaces', (n: number) => `application/json;${' '.repeat(n)}x`],
    ['parameters', (n: number) => `application/json${'; charset=utf-8'.repeat(n / 15)};x`],
    ['semicolons', (n: number) => `application/json${';'.repeat(n)}x`],
    ['quotes', (n: number) => `application/json; charset=${'"'.repeat(n)}`],
    ['tabs and spaces', (n: number) => `application/json;${'\t '.repeat(n / 2)}=`],
  ] as const
  it.each(inner)('S50 of %s as a content type', (_, make) =>
    expectLinear(make, (text) => climb(BODY, header('content-type', text))),
  )

  it.each([
    ['accept', (n: number) => 'application/jso'.repeat(n / 15)],
    ['accept', (n: number) => 'text/event-strea,'.repeat(n / 17)],
    ['accept', (n: number) => `${'*/'.repeat(n / 2)}x`],
  ])('S50 %s', (_, make) => expectLinear(make, (text) => [acceptsJson(text), acceptsStream(text)]))

  it.each([
    ['origin', (n: number) => `https://ok.example:${'1'.repeat(n)}x`],
    ['origin', (n: number) => `https://${':1'.repeat(n / 2)}x`],
    ['x-switchyard-hops', (n: number) => '1'.repeat(n)],
  ])('S50 %s', (name, make) => {
    expectLinear(make, (text) => climb(ENTRY, header(name, text)))
    expectLinear(make, (text) => hopsOf(new Headers({ [name]: text })))
    expectLinear(make, (text) => isAllowedHost(text, ['ok.example:*']))
  })

  it.each([
    (n: number) => `Bearer ${'a'.repeat(n)}!`,
    (n: number) => `Bearer ${'='.repeat(n)}!`,
    (n: number) => `Bearer ${'a='.repeat(n / 2)}`,
    (n: number) => `Bearer${' '.repeat(n)}x`,
  ])('S50 authorization (%#)', (make) =>
    expectLinear(make, (text) => readCredential(new Headers({ authorization: text }))),
  )

  it.each([
    (n: number) => `=?base64?${'?='.repeat(n / 2)}x`,
    (n: number) => `=?base64?${'A'.repeat(n)}`,
    (n: number) => `${'a '.repeat(n / 2)}\u0001`,
    (n: number) => ' '.repeat(n),
  ])('S50 a value that repeats an argument (%#)', (make) => {
    expectLinear(make, decodeHeader)
    expectLinear(make, encodeHeader)
  })
})

describe('a text of 50 KB from anywhere', () => {
  it.each([
    (n: number) => 'a-'.repeat(n / 2),
    (n: number) => '_'.repeat(n),
    (n: number) => '\u202e'.repeat(n),
    (n: number) => `https://${'a.'.repeat(n / 2)}`,
    (n: number) => `https://a.example/${'/..'.repeat(n / 3)}`,
    (n: number) => '1.'.repeat(n / 2),
    (n: number) => ':'.repeat(n),
  ])('S50 as a name, an address or a word of ours (%#)', (make) => {
    for (const work of [checkSlug, fitName, echo, isPublicAddress]) expectLinear(make, work)
    expectLinear(make, (text) => checkAddress(text, policy))
  })

  it.each([
    (n: number) => '\r'.repeat(n),
    (n: number) => '\r\n'.repeat(n / 2),
    (n: number) => 'data\n'.repeat(n / 5),
    (n: number) => `data: ${'\r'.repeat(n)}x`,
  ])('S50 as a stream of events (%#)', (make) => {
    expectLinear(make, (text) => new EventReader().read(text))
    expectLinear(make, writeEvent)
  })

  it.each([
    (n: number) => '{a}'.repeat(n / 3),
    (n: number) => '{a'.repeat(n / 2),
    (n: number) => `{${'a,'.repeat(n / 2)}}`,
    (n: number) => `${'a'.repeat(n)}{b}`,
  ])('S50 as a template of resources (%#)', (make) =>
    expectLinear(make, (text) => readTemplate(text)('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!')),
  )
})

it('S50 a template whose parts could meet in many ways is matched at once', { timeout: 5_000 }, () => {
  const matches = readTemplate('{a}{b}{c}{d}{e}{f}{g}{h}{i}{j}{k}{l}{m}{n}{o}!')
  expect(matches('a'.repeat(2_000))).toBe(false)
})
