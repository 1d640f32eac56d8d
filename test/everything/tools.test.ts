/** Every tool of the reference server gives a client behind the gateway what it gives one of its own. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Both, normalise, startBoth } from './both.ts'
import { LegacyCaller } from './legacy.ts'

let both: Both
let direct: LegacyCaller
let service: LegacyCaller
let all: LegacyCaller

beforeAll(async () => {
  both = await startBoth()
  direct = await new LegacyCaller(both.direct).connect()
  service = await new LegacyCaller(both.service).connect()
  all = await new LegacyCaller(both.all).connect()
})
afterAll(async () => {
  await both.close()
})

type Drive = (caller: LegacyCaller) => Promise<unknown>

/** What it gave directly, which is what it gave at both endpoints of the gateway. */
async function compare(drive: Drive): Promise<any> {
  const [own, ...through] = await Promise.all([direct, service, all].map(drive))
  for (const given of through) expect(normalise(given)).toEqual(normalise(own))
  return own
}

const call = (name: string, given: Record<string, unknown> = {}, { client }: LegacyCaller): Promise<any> =>
  client.callTool({ name, arguments: given })

/** What a call gave, with what its client was asked meanwhile. */
const callAndAnswer =
  (name: string, given: Record<string, unknown> = {}): Drive =>
  async (caller) => {
    const before = caller.asked.length
    const result = await call(name, given, caller)
    // Roots are asked for when the server likes, not for this call.
    const asked = caller.asked.slice(before).filter(({ method }) => method !== 'roots/list')
    return { result, asked }
  }

const PLAIN: readonly (readonly [name: string, given: Record<string, unknown>])[] = [
  ['echo', { message: 'hällo\n\u2028 "x"' }],
  ['get-sum', { a: 1, b: 2 }],
  ['get-env', {}],
  ['get-tiny-image', {}],
  ['get-annotated-message', { messageType: 'error', includeImage: true }],
  ['get-annotated-message', { messageType: 'debug' }],
  ['get-resource-links', { count: 4 }],
  ['get-resource-reference', { resourceType: 'Text', resourceId: 3 }],
  ['get-resource-reference', { resourceType: 'Blob', resourceId: 3 }],
  ['get-structured-content', { location: 'Chicago' }],
  ['gzip-file-as-resource', { name: 'a.txt.gz', data: 'data:text/plain,abc', outputType: 'resource' }],
]

/** Those that ask the client first, how often, and for what. */
const ASKING: readonly (readonly [
  name: string,
  given: Record<string, unknown>,
  asked: string[],
  text: string,
])[] = [
  ['trigger-sampling-request', { prompt: 'p' }, ['sampling/createMessage'], 'sampled'],
  ['trigger-elicitation-request', {}, ['elicitation/create'], 'Ada'],
  ['trigger-url-elicitation', { url: 'https://x.example/a' }, ['elicitation/create'], 'completed the URL'],
  ['trigger-sampling-request-async', { prompt: 'p' }, ['sampling/createMessage'], 'COMPLETED'],
  ['trigger-elicitation-request-async', {}, ['elicitation/create'], 'COMPLETED'],
]

const ALL = [
  ...PLAIN.map(([name]) => name),
  ...ASKING.map(([name]) => name),
  'get-roots-list',
  'simulate-research-query',
  'toggle-simulated-logging',
  'toggle-subscriber-updates',
  'trigger-long-running-operation',
]

describe('the list of tools', () => {
  it('is the same, and every one of it is used here or beside', async () => {
    const { tools } = await compare(({ client }) => client.listTools())
    const names = tools.map(({ name }: { name: string }) => name)
    expect(names.toSorted()).toEqual([...new Set(ALL)].toSorted())
  })
})

describe('a tool that only answers', () => {
  it.each(PLAIN)('%s answers the same to %j', async (name, given) => {
    const { content } = await compare((caller) => call(name, given, caller))
    expect(content.length).toBeGreaterThan(0)
  })

  it('refuses arguments in the same way', async () => {
    const refused = await compare((caller) => call('get-sum', { a: 'x' }, caller))
    expect(refused.isError).toBe(true)
  })

  it('that does not exist is refused by both, by the gateway as an error of the protocol (B95)', async () => {
    expect(await call('nope', {}, direct)).toMatchObject({ isError: true })
    await expect(call('nope', {}, service)).rejects.toMatchObject({ code: -32602 })
  })
})

describe('a tool that asks its client', () => {
  it.each(ASKING)('%s gets its answer', async (name, given, methods, text) => {
    const { asked, result } = await compare(callAndAnswer(name, given))
    expect(asked.map(({ method }: { method: string }) => method)).toEqual(methods)
    expect(JSON.stringify(result)).toContain(text)
  })

  it('trigger-url-elicitation can also demand that a URL is opened first', async () => {
    const given = { url: 'https://x.example/b', errorPath: true, elicitationId: crypto.randomUUID() }
    const failed = await compare((caller) =>
      call('trigger-url-elicitation', { ...given, elicitationId: 'e-1' }, caller).catch(
        ({ code, message, data }) => ({ code, message, data }),
      ),
    )
    expect(failed.code).toBe(-32042)
    const { result } = await compare(
      callAndAnswer('trigger-url-elicitation', { ...given, elicitationId: 'e-1' }),
    )
    expect(JSON.stringify(result)).toContain('completed the URL')
  })

  it('get-roots-list knows the roots, and hears when they change', async () => {
    const first = await compare((caller) => call('get-roots-list', {}, caller))
    expect(first.content[0].text).toContain('file:///home/ada')
    const changed = await compare(async (caller) => {
      caller.roots.push({ uri: 'file:///srv', name: 'srv' })
      const before = caller.asked.length
      await caller.client.sendRootsListChanged()
      await caller.isAsked(before + 1)
      return await call('get-roots-list', {}, caller)
    })
    expect(changed.content[0].text).toContain('file:///srv')
  })
})

describe('a long running tool', () => {
  it('tells its progress', async () => {
    const { progress } = await compare(async ({ client }) => {
      const progress: unknown[] = []
      const result = await client.callTool(
        { name: 'trigger-long-running-operation', arguments: { duration: 0.3, steps: 3 } },
        undefined,
        { onprogress: (step) => progress.push(step) },
      )
      return { result, progress }
    })
    expect(progress).toEqual([1, 2, 3].map((step) => ({ progress: step, total: 3 })))
  })
})
