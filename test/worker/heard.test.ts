/** Who hears that a list changed when a rule did: those whose list it is, once, and nobody else. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { eventually, type Gateway } from '../support/gateway.ts'
import { addKey } from '../support/key.ts'
import { connectLegacy, connectModern, type SdkClient } from '../support/sdk-client.ts'
import { startStack, type Stack } from '../support/stack.ts'
import { startUpstream, type Upstream } from '../support/upstream.ts'

const CONNECT = { legacy: connectLegacy, modern: connectModern } as const
const HEARD_MS = 5_000
const CHANGED = 'notifications/tools/list_changed'

let stack: Stack
let writer: Gateway
let other: Gateway
let upstream: Upstream
let coder: string
let reviewer: string

beforeAll(async () => {
  stack = await startStack()
  coder = await keyOf('coder')
  reviewer = await keyOf('reviewer')
  writer = await stack.gateway()
  other = await stack.gateway()
  upstream = await startUpstream({ era: 'both' })
  await writer.register('shop', upstream.url)
  await writer.manage('POST', '/api/v1/toolsets', { slug: 'some', tools: ['echo'] })
  await eventually(HEARD_MS, async () => expect(await other.toolNames('/mcp/some')).toEqual(['echo']))
})
afterEach(async () => {
  const { items } = (await writer.manage('GET', '/api/v1/permissions')).body
  for (const { agentType, tool } of items) {
    await writer.manage('DELETE', '/api/v1/permissions', { agentType, tool })
  }
  await eventually(HEARD_MS, async () => expect(await other.toolNames('/mcp/some')).toEqual(['echo']))
})
afterAll(async () => {
  await stack.close()
  await upstream.stop()
})

const keyOf = async (agentType: string): Promise<string> =>
  (await addKey(stack, agentType)).authorization.replace('Bearer ', '')
const set = (agentType: string, tool: string, allowed: boolean) =>
  writer.manage('PUT', '/api/v1/permissions', { agentType, tool, allowed })
const seenBy = async (key: string): Promise<string[]> => {
  const { body } = await other.rpc('tools/list', {}, { headers: { authorization: `Bearer ${key}` } })
  return body.result.tools.map(({ name }: { name: string }) => name)
}
const methodsOf = ({ heard }: SdkClient): string[] => heard.map(({ method }) => method)

describe.each(['legacy', 'modern'] as const)('a rule that changes while a %s client listens', (era) => {
  it('is heard of, elsewhere too, by those whose list it changes, and by them alone', async () => {
    const open = async (token: string, path: string) => {
      const client = await CONNECT[era](`${other.url}${path}`, token)
      await client.listen()
      return client
    }
    await set('coder', 'fail', false)
    await eventually(HEARD_MS, async () => expect(await seenBy(coder)).not.toContain('fail'))
    const seesLess = await open(coder, '/mcp')
    const seesSame = await open(reviewer, '/mcp')
    const hasOther = await open(coder, '/mcp/some')
    // Those who hear of these say that the others had time to, and did not.
    await set('reviewer', 'fail', false)
    await eventually(HEARD_MS, () => expect(methodsOf(seesSame)).toEqual([CHANGED]))
    await set('reviewer', 'big', false)
    await eventually(HEARD_MS, () => expect(methodsOf(seesSame)).toEqual([CHANGED, CHANGED]))
    await set('coder', 'raw', false)
    await eventually(HEARD_MS, () => expect(methodsOf(seesLess)).toEqual([CHANGED]))
    expect((await seesLess.tools()).map(({ name }) => name)).not.toContain('raw')
    await set('*', 'echo', false)
    await eventually(HEARD_MS, () => expect(methodsOf(hasOther)).toEqual([CHANGED]))
    await eventually(HEARD_MS, () => expect(methodsOf(seesSame)).toHaveLength(3))
    await eventually(HEARD_MS, () => expect(methodsOf(seesLess)).toEqual([CHANGED, CHANGED]))
    expect(await hasOther.tools()).toEqual([])
    await Promise.all([seesLess, seesSame, hasOther].map((client) => client.close()))
  })
})
