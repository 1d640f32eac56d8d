/** A client of the modern era uses the reference server, which knows nothing of it, through the gateway. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Both, normalise, startBoth } from './both.ts'
import { ModernCaller } from './modern.ts'

let both: Both
let direct: ModernCaller
let service: ModernCaller
let all: ModernCaller

beforeAll(async () => {
  both = await startBoth()
  direct = await new ModernCaller(both.direct, 'legacy').connect()
  service = await new ModernCaller(both.service, 'modern').connect()
  all = await new ModernCaller(both.all, 'modern').connect()
})
afterAll(async () => {
  await both.close()
})

/** What the server gave its own client, which is what the gateway gave modern ones, but for what only their era has. */
async function compare(drive: (caller: ModernCaller) => Promise<unknown>): Promise<any> {
  const own = await drive(direct)
  for (const caller of [service, all])
    expect(withoutEra(normalise(await drive(caller)))).toEqual(withoutEra(normalise(own)))
  return own
}

const withoutEra = (value: unknown): unknown => {
  const ofEra = new Set(['resultType', 'ttlMs', 'cacheScope', 'elicitationId'])
  return JSON.parse(JSON.stringify(value, (key, member) => (ofEra.has(key) ? undefined : member)))
}

it('speaks the modern version with the gateway', () => {
  expect(service.client.getNegotiatedProtocolVersion()).toBe('2026-07-28')
  expect(direct.client.getNegotiatedProtocolVersion()).toBe('2025-11-25')
})

describe('lists', () => {
  it('hold the same prompts, resources and templates', async () => {
    await compare(({ client }) => client.listPrompts())
    await compare(({ client }) => client.listResources())
    await compare(({ client }) => client.listResourceTemplates())
  })

  it('hold every tool that the server has for anyone', async () => {
    const names = async ({ client }: ModernCaller) => (await client.listTools()).tools.map(({ name }) => name)
    const own = await names(direct)
    for (const caller of [service, all]) expect(await names(caller)).toEqual(expect.arrayContaining(own))
  })
})

describe('what only answers', () => {
  it.each([
    ['echo', { message: 'ü' }],
    ['get-sum', { a: 1, b: 2 }],
    ['get-tiny-image', {}],
    ['get-annotated-message', { messageType: 'success', includeImage: true }],
    ['get-resource-links', { count: 3 }],
    ['get-resource-reference', { resourceType: 'Blob', resourceId: 3 }],
    ['get-structured-content', { location: 'Chicago' }],
    ['get-sum', { a: 'x' }],
  ])('%s answers the same to %j', async (name, given) => {
    const { content } = await compare(({ client }) => client.callTool({ name, arguments: given }))
    expect(content.length).toBeGreaterThan(0)
  })

  it('prompts, completions and resources are the same', async () => {
    const prompt = { name: 'args-prompt', arguments: { city: 'Kyjov' } }
    expect((await compare(({ client }) => client.getPrompt(prompt))).messages).toHaveLength(1)
    const ref = { type: 'ref/prompt', name: 'completable-prompt' } as const
    const argument = { name: 'department', value: 'S' }
    const { completion } = await compare(({ client }) => client.complete({ ref, argument }))
    expect(completion.values).toEqual(['Sales', 'Support'])
    const uri = 'demo://resource/dynamic/text/42'
    expect((await compare(({ client }) => client.readResource({ uri }))).contents).toHaveLength(1)
  })
})

describe('what asks its client', () => {
  it.each([
    ['trigger-sampling-request', { prompt: 'p' }, 'sampled'],
    ['trigger-elicitation-request', {}, 'Ada'],
    ['trigger-url-elicitation', { url: 'https://x.example/a' }, 'completed the URL'],
  ])('%s gets its answer', async (name, given, text) => {
    const { result } = await compare(async ({ client, asked }) => {
      const before = asked.length
      const result = await client.callTool({ name, arguments: given })
      return { result, asked: asked.slice(before) }
    })
    expect(JSON.stringify(result)).toContain(text)
  })

  it('trigger-url-elicitation by error becomes a URL to open, and the call is made again', async () => {
    const given = { url: 'https://x.example/b', errorPath: true, elicitationId: 'e-1' }
    const result = await service.client.callTool({ name: 'trigger-url-elicitation', arguments: given })
    expect(JSON.stringify(result)).toContain('completed the URL')
    expect(service.asked.at(-2)?.params.url).toBe('https://modelcontextprotocol.io')
  })
})

describe('what comes meanwhile', () => {
  it('progress is told', async () => {
    const { steps } = await compare(async ({ client }) => {
      const steps: unknown[] = []
      const result = await client.callTool(
        { name: 'trigger-long-running-operation', arguments: { duration: 0.3, steps: 3 } },
        { onprogress: (step) => steps.push(step) },
      )
      return { result, steps }
    })
    expect(steps).toHaveLength(3)
  })

  it('a call that is cancelled ends, and the next one works', async () => {
    const given = { duration: 30, steps: 300 }
    const refused = await compare(async ({ client }) => {
      const over = new AbortController()
      const called = client.callTool(
        { name: 'trigger-long-running-operation', arguments: given },
        { signal: over.signal, onprogress: () => over.abort('enough') },
      )
      const message = await called.then(
        () => 'answered',
        (error) => String(error),
      )
      await client.callTool({ name: 'echo', arguments: { message: 'x' } })
      return message
    })
    expect(refused).toContain('enough')
  })

  it('a subscription is acknowledged by what it is about', async () => {
    const uri = 'demo://resource/dynamic/text/1'
    for (const { client } of [service, all]) {
      const subscription = await client.listen({ resourceSubscriptions: [uri], toolsListChanged: true })
      expect(subscription.honoredFilter).toEqual({ resourceSubscriptions: [uri], toolsListChanged: true })
      await subscription.close()
    }
  })
})
