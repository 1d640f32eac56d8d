/** The reference server on the older transport, behind the gateway: what needs no session that outlives a call. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Both, normalise, startBoth } from './both.ts'
import { LegacyCaller } from './legacy.ts'
import { ModernCaller } from './modern.ts'

let both: Both
let direct: LegacyCaller
let callers: (LegacyCaller | ModernCaller)[]

beforeAll(async () => {
  both = await startBoth('sse')
  direct = await new LegacyCaller(both.direct).connect()
  callers = [
    await new LegacyCaller(both.service).connect(),
    await new LegacyCaller(both.all).connect(),
    await new ModernCaller(both.service, 'modern').connect(),
    await new ModernCaller(both.all, 'modern').connect(),
  ]
})
afterAll(async () => {
  await both.close()
})

it('was found out at registration', async () => {
  const { body } = await both.gateway.manage('GET', '/api/v1/servers/everything')
  expect(body).toMatchObject({ transport: 'sse', era: 'legacy', toolCount: 19 })
})

describe('what only answers', () => {
  it.each([
    ['echo', { message: 'hällo\n\u2028 "x"' }],
    ['get-tiny-image', {}],
    ['get-resource-links', { count: 4 }],
    ['get-structured-content', { location: 'Chicago' }],
    ['get-sum', { a: 'x' }],
  ])('%s answers the same to %j', async (name, given) => {
    const own = normalise(await direct.client.callTool({ name, arguments: given }))
    for (const { client } of callers)
      expect(normalise(await client.callTool({ name, arguments: given }))).toMatchObject(own as object)
  })

  it('resources, prompts and completions are the same', async () => {
    const uri = 'demo://resource/dynamic/text/42'
    const prompt = { name: 'args-prompt', arguments: { city: 'Kyjov' } }
    const ref = { type: 'ref/prompt', name: 'completable-prompt' } as const
    const question = { ref, argument: { name: 'department', value: 'S' } }
    for (const { client } of callers) {
      expect(normalise(await client.readResource({ uri }))).toMatchObject(
        normalise(await direct.client.readResource({ uri })) as object,
      )
      expect(await client.getPrompt(prompt)).toMatchObject(await direct.client.getPrompt(prompt))
      expect((await client.complete(question)).completion.values).toEqual(['Sales', 'Support'])
    }
  })
})

describe('what asks its client', () => {
  it.each([
    ['trigger-sampling-request', { prompt: 'p' }, 'sampled'],
    ['trigger-elicitation-request', {}, 'Ada'],
    ['trigger-url-elicitation', { url: 'https://x.example/a' }, 'completed the URL'],
  ])('%s gets its answer', async (name, given, text) => {
    for (const { client } of callers)
      expect(JSON.stringify(await client.callTool({ name, arguments: given }))).toContain(text)
  })
})

describe('what comes meanwhile', () => {
  const given = { name: 'trigger-long-running-operation', arguments: { duration: 0.3, steps: 3 } }

  it('progress is told', async () => {
    for (const caller of callers) {
      const steps: unknown[] = []
      const onprogress = (step: unknown) => steps.push(step)
      await (caller instanceof LegacyCaller
        ? caller.client.callTool(given, undefined, { onprogress })
        : caller.client.callTool(given, { onprogress }))
      expect(steps).toHaveLength(3)
    }
  })
})
