/**
 * Each field of each body of the management API, as /openapi.json describes it, tried with whatever is wrong for it; each
 * parameter of a query and a path with what is odd. Always a problem of the 400s that names it, never a 500.
 */
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { operations } from '../../src/admin/api/operations.ts'
import type { Operation } from '../../src/admin/operation.ts'
import { type Described, type Document, fillPath, readDocument, send } from '../support/described.ts'
import { type Example, examples, type OperationId } from '../support/example.ts'
import {
  type Field,
  fieldsOf,
  FOREIGN_NAMES,
  isUnbounded,
  nameOf,
  ODD_TEXTS,
  place,
  Raw,
  write,
  without,
  withValue,
  wrongFor,
} from '../support/field.ts'
import { type Answer, API_KEY, type Gateway } from '../support/gateway.ts'
import { startStack, type Stack } from '../support/stack.ts'
import { startUpstream, type Upstream } from '../support/upstream.ts'

const all: Readonly<Record<OperationId, Operation>> = operations
const ids = Object.keys(operations).filter((id): id is OperationId => id in operations)
const withBody = ids.filter((id) => all[id].body)
const withQuery = ids.filter((id) => all[id].query)
const withParams = ids.filter((id) => all[id].path.includes(':'))

let stack: Stack
let gateway: Gateway
let upstream: Upstream
let document: Document
beforeAll(async () => {
  stack = await startStack()
  gateway = await stack.gateway()
  upstream = await startUpstream({
    tools: [{ name: 'buy', inputSchema: { type: 'object' } }],
    resources: [{ uri: 'file:///a', name: 'a' }],
  })
  document = await readDocument(gateway)
})
afterAll(async () => {
  await stack.close()
  await upstream.stop()
})

type Case = { readonly described: Described; readonly example: Example; readonly fields: readonly Field[] }

async function open(id: OperationId): Promise<Case> {
  const described = document.operations.find((operation) => operation.id === id)
  if (!described) throw new Error(`'${id}' is not described`)
  const example = await examples[id]({ gateway, upstream })
  const fields = described.body ? fieldsOf(described.body, document) : []
  return { described, example, fields }
}

const isProblem = ({ status, headers, body }: Answer): boolean =>
  headers.get('content-type') === 'application/problem+json' &&
  // The envelope of document 002 says `status` in its own words.
  [status, 'error'].includes(body.status) &&
  typeof body.code === 'string' &&
  body.detail.length > 0

/** Where a list is at fault as a whole, its items are told. */
const isNamed = ({ body }: Answer, field: string): boolean =>
  (body.errors ?? []).some((fault: any) => fault.field === field || fault.field.startsWith(`${field}.`))

const told = ({ status, text }: Answer): string => `${status} ${text.slice(0, 300)}`

/** Sends each body, and gives what was not answered as it should be. */
async function failures(
  { described, example }: Case,
  bodies: readonly (readonly [what: string, text: string])[],
  isRight: (answer: Answer, what: string) => boolean,
): Promise<readonly string[]> {
  const wrong: string[] = []
  for (const [what, text] of bodies) {
    const answer = await send(gateway, described, example, text)
    if (!isRight(answer, what)) wrong.push(`${what} ${text.slice(0, 200)}: ${told(answer)}`)
  }
  return wrong
}

const isRefusedBy = (answer: Answer, field: string): boolean =>
  answer.status === 400 && isProblem(answer) && isNamed(answer, field)

/** What a service says, or does not say. */
const OF_SERVICES: ReadonlySet<string> = new Set(['discovery_failed', 'upstream_error'])

/** Taken, or refused for what it is; a service that cannot be reached is none of ours. */
const isBorne = (answer: Answer): boolean =>
  answer.status < 400 || ((answer.status < 500 || OF_SERVICES.has(answer.body.code)) && isProblem(answer))

describe.each(withBody)('the body of %s', (id) => {
  it('names each field that is wrong or missing', async () => {
    const opened = await open(id)
    const { example, fields } = opened
    expect(fields.length).toBeGreaterThan(1)
    expect(fields.filter(isUnbounded).map(({ path }) => nameOf(path))).toEqual([])
    const bodies = fields.flatMap((field) => [
      ...wrongFor(field).map(
        (value) => [nameOf(field.path), write(withValue(example.body, field, value))] as const,
      ),
      ...(field.isRequired ? [[nameOf(field.path), write(without(example.body, field))] as const] : []),
    ])
    expect(await failures(opened, bodies, isRefusedBy)).toEqual([])
  })

  it('names each field that is not known', async () => {
    const opened = await open(id)
    const closed = opened.fields.filter(({ kinds }) =>
      kinds.every(({ properties, additionalProperties }) => properties && additionalProperties === false),
    )
    const bodies = closed.flatMap(({ path }) =>
      FOREIGN_NAMES.map((name) => {
        const shown = name.replaceAll('\0', '\ufffd')
        return [nameOf([...path, shown]), write(place(opened.example.body, [...path, name], 1))] as const
      }),
    )
    expect(await failures(opened, bodies, isRefusedBy)).toEqual([])
  })

  it('bears odd texts, and nesting without end, in each field', async () => {
    const opened = await open(id)
    const { example, fields } = opened
    const deep = new Raw(`${'['.repeat(2_000)}${']'.repeat(2_000)}`)
    const bodies = fields.flatMap((field) =>
      [...ODD_TEXTS, deep].map(
        (value) => [nameOf(field.path), write(withValue(example.body, field, value))] as const,
      ),
    )
    expect(await failures(opened, bodies, isBorne)).toEqual([])
  })

  it('is JSON in UTF-8, and not too much of it', async () => {
    const opened = await open(id)
    const text = write(opened.example.body)
    const bodies = ['{', '"x"', '7', 'null', 'true', '', ' ', '{"a":1,"a":2}', `${text}x`, `'`, 'NaN', '﻿7']
    const isRefused = (answer: Answer): boolean => answer.status === 400 && isProblem(answer)
    const mayBeEmpty = all[id].body?.safeParse({}).success === true
    const isRight = (answer: Answer, what: string): boolean =>
      mayBeEmpty && what.trim() === '' ? isBorne(answer) : isRefused(answer)
    expect(
      await failures(
        opened,
        bodies.map((each) => [each, each] as const),
        isRight,
      ),
    ).toEqual([])
    const large = await failures(
      opened,
      [['large', `{"a":"${'x'.repeat(1_100_000)}"}`]],
      ({ status }) => status === 413,
    )
    expect(large).toEqual([])
  })

  it('comes as it is, whatever its type is called', async () => {
    const { described, example } = await open(id)
    const path = fillPath(described.path, example.params)
    const sendBytes = (body: Uint8Array<ArrayBuffer>, headers: Record<string, string>): Promise<Answer> =>
      gateway.fetch(path, { method: described.method, headers: { 'x-api-key': API_KEY, ...headers }, body })
    const packed = await sendBytes(Uint8Array.from(gzipSync(write(example.body))), {
      'content-encoding': 'gzip',
    })
    expect([packed.status, isProblem(packed)]).toEqual([415, true])
    const broken = await sendBytes(Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x7d), {})
    expect([broken.status, isProblem(broken)]).toEqual([400, true])
    const text = new TextEncoder().encode('{"unheardOf":1}')
    for (const type of ['text/plain', 'multipart/form-data', 'x']) {
      expect((await sendBytes(Uint8Array.from(text), { 'content-type': type })).status).toBe(400)
    }
  })
})

const ODD_QUERY = [
  '',
  '\0',
  'x'.repeat(5_000),
  '-1',
  '1e9',
  '\ufffd',
  '__proto__',
  '[]',
  '00',
  '1.5',
] as const

describe.each(withQuery)('the query of %s', (id) => {
  it('is taken, or the parameter is named', async () => {
    const { described, example } = await open(id)
    const wrong: string[] = []
    for (const { name } of described.query) {
      for (const value of ODD_QUERY) {
        const answer = await send(gateway, described, {
          ...example,
          query: { ...example.query, [name]: value },
        })
        const isRight = answer.status === 400 ? isRefusedBy(answer, name) : isBorne(answer)
        if (!isRight) wrong.push(`${name}=${JSON.stringify(value.slice(0, 20))}: ${told(answer)}`)
      }
    }
    for (const name of ['unheardOf', '__proto__', 'constructor']) {
      const answer = await send(gateway, described, { ...example, query: { ...example.query, [name]: '1' } })
      if (!isRefusedBy(answer, name)) wrong.push(`${name}: ${told(answer)}`)
    }
    expect(wrong).toEqual([])
  })
})

const LONG_PATHS = ['x'.repeat(1_025), 'x'.repeat(10_000), 'a%00b']
const ODD_PATHS = [
  '%FF',
  '%E0%A4',
  '%ed%a0%80',
  '%',
  '%252e%252e',
  '..%2f..',
  '%2e%2e%2f',
  '__proto__',
  'constructor',
  '%F0%9F%98%80',
  '%20',
  "'",
]

describe.each(withParams)('the path of %s', (id) => {
  it('names what cannot be, and bears what is odd', async () => {
    const { described, example } = await open(id)
    const wrong: string[] = []
    for (const name of described.params) {
      const text = described.body && write(example.body)
      const ask = (value: string): Promise<Answer> =>
        send(gateway, described, { ...example, params: { ...example.params, [name]: value } }, text)
      for (const value of LONG_PATHS) {
        const answer = await ask(value)
        if (!isRefusedBy(answer, name)) wrong.push(`${name}=${value.slice(0, 20)}: ${told(answer)}`)
      }
      for (const value of ODD_PATHS) {
        const answer = await ask(value)
        if (!isBorne(answer)) wrong.push(`${name}=${value}: ${told(answer)}`)
      }
    }
    expect(wrong).toEqual([])
  })
})
