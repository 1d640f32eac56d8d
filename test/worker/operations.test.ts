/** Every operation of the management API, as /openapi.json describes it: with a good request, and with a bad one. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openClient } from '../../src/admin/client.ts'
import { operations } from '../../src/admin/api/operations.ts'
import type { Operation } from '../../src/admin/operation.ts'
import { type Described, type Document, readDocument, send } from '../support/described.ts'
import { type Example, examples, type OperationId, type Yard } from '../support/example.ts'
import { API_KEY, type Gateway } from '../support/gateway.ts'
import { startStack, type Stack } from '../support/stack.ts'
import { startUpstream, type Upstream } from '../support/upstream.ts'

const ids = Object.keys(operations).filter((id): id is OperationId => id in operations)

let stack: Stack
let gateway: Gateway
let upstream: Upstream
let yard: Yard
let document: Document
beforeAll(async () => {
  stack = await startStack()
  gateway = await stack.gateway()
  upstream = await startUpstream({
    tools: [{ name: 'buy', inputSchema: { type: 'object' } }],
    resources: [{ uri: 'file:///a', name: 'a' }],
  })
  yard = { gateway, upstream }
  await gateway.register('shop', upstream.url)
  document = await readDocument(gateway)
})
afterAll(async () => {
  await stack.close()
  await upstream.stop()
})

const describedAs = (id: string): Described => {
  const found = document.operations.find((operation) => operation.id === id)
  if (!found) throw new Error(`'${id}' is not described`)
  return found
}
const textOf = ({ body }: Example): string | undefined =>
  body === undefined ? undefined : JSON.stringify(body)

/** What is not known, or too long: where an operation can be told something wrong at all. */
function spoil(
  { params, query, body }: Described,
  example: Example,
): (Example & { field: string }) | undefined {
  if (body) return { ...example, body: { ...Object(example.body), unheardOf: 1 }, field: 'unheardOf' }
  if (query.length > 0) return { ...example, query: { ...example.query, unheardOf: '1' }, field: 'unheardOf' }
  const [name] = params
  return name === undefined
    ? undefined
    : { ...example, params: { ...example.params, [name]: 'x'.repeat(1_025) }, field: name }
}

it('every operation that is described has an example', () => {
  expect(document.operations.map(({ id }) => id).toSorted()).toEqual(Object.keys(examples).toSorted())
})

describe.each(ids)('%s', (id) => {
  const operation: Operation = operations[id]

  it('answers a good request as it is described, with nothing besides', async () => {
    const example = await examples[id](yard)
    const { answerType = 'application/json' } = operation
    const { status, headers, ...answer } = await send(gateway, describedAs(id), example, textOf(example))
    const body = answerType === 'text/plain' ? answer.text : answer.body
    expect([status, body]).toEqual([operation.status ?? 200, expect.anything()])
    expect(headers.get('content-type')?.split(';')[0]).toBe(answerType)
    expect(headers.get('etag') !== null).toBe(operation.isTagged === true)
    expect(operation.answer.parse(body)).toStrictEqual(body)
  })

  it('names what is wrong in a bad one', async () => {
    const described = describedAs(id)
    const spoilt = spoil(described, await examples[id](yard))
    if (!spoilt) return
    const { status, headers, body } = await send(gateway, described, spoilt, textOf(spoilt))
    expect([status, body.status, body.errors?.[0]?.field]).toEqual([400, 400, spoilt.field])
    expect(headers.get('content-type')).toBe('application/problem+json')
  })
})

describe('the typed client', () => {
  it('speaks to a gateway', async () => {
    const client = openClient(gateway.url, { headers: { 'x-api-key': API_KEY } })
    const made = await client.api.v1.servers.$post({ json: { name: 'typed', url: upstream.url } })
    const server = await made.json()
    const param = { id: server.id }
    const changed = await client.api.v1.servers[':id'].$put({ param, json: { timeoutMs: 900 } })
    const { items } = await (await client.api.v1.servers.$get({ query: { limit: '1000' } })).json()
    const { timeoutMs } = items.find(({ id }) => id === server.id) ?? {}
    expect([made.status, changed.status, server.tools.length, timeoutMs]).toEqual([
      201,
      200,
      server.toolCount,
      900,
    ])
    const gone = await client.api.v1.servers[':id'].$delete({ param })
    expect(await gone.json()).toEqual({ id: server.id, name: 'typed', deleted: true })
  })

  it('knows what may be said', () => {
    const client = openClient(gateway.url)
    const { servers, permissions } = client.api.v1
    const never = (): readonly unknown[] => [
      // @ts-expect-error a name is missing
      servers.$post({ json: { url: 'http://a.example' } }),
      // @ts-expect-error not a number
      servers[':id'].$put({ param: { id: 'a' }, json: { timeoutMs: '900' } }),
      // @ts-expect-error which one
      servers[':id'].$get({}),
      // @ts-expect-error a rule is named by both
      permissions.$delete({ query: { agentType: 'a' } }),
      servers[':id'].$put({ param: { id: 'a' }, json: { timeoutMs: null } }),
    ]
    expect(never).toBeTypeOf('function')
  })
})
