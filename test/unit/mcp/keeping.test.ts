/** Which results are kept, and what is said of them. */
import { describe, expect, it } from 'vitest'
import { Keeping, keepableSeconds, withCacheMeta } from '../../../src/mcp/keeping.ts'
import { RESULT_LIMITS, Results } from '../../../src/mcp/results.ts'
import { ByteBudget } from '../../../src/platform/budget.ts'
import type { Border } from '../../../src/upstream/border.ts'
import type { UpstreamRequest } from '../../../src/upstream/incoming.ts'

const ANY = Number.POSITIVE_INFINITY
const CONTENT = '"content":[]'

describe('a result', () => {
  it.each<[string, number]>([
    [`{${CONTENT}}`, ANY],
    [`{${CONTENT},"isError":false,"resultType":"complete","cacheScope":"public"}`, ANY],
    [`{${CONTENT},"isError":true}`, 0],
    [`{${CONTENT},"isError":"false"}`, 0],
    [`{"resultType":"input_required","inputRequests":{}}`, 0],
    [`{"resultType":"task","taskId":"1"}`, 0],
    [`{"task":{"taskId":"1"}}`, 0],
    [`{${CONTENT},"_meta":{"io.modelcontextprotocol/related-task":{"taskId":"1"}}}`, 0],
    [`{${CONTENT},"_meta":{"a":1}}`, ANY],
    [`{${CONTENT},"cacheScope":"private"}`, 0],
    [`{${CONTENT},"cacheScope":7}`, 0],
    [`{${CONTENT},"ttlMs":0}`, 0],
    [`{${CONTENT},"ttlMs":-1000}`, -1],
    [`{${CONTENT},"ttlMs":2500}`, 2],
    [`{${CONTENT},"ttlMs":"soon"}`, 0],
    ['7', 0],
    [`{"x":"${'x'.repeat(RESULT_LIMITS.maxBytes)}"}`, 0],
  ])('%s may be given again for %d s', (raw, seconds) => {
    expect(keepableSeconds(raw)).toBe(seconds)
  })

  it('says of itself that it was kept, every other byte as it was', () => {
    const hit = { status: 'hit', ageSeconds: 1, ttlSeconds: 60 } as const
    const said = JSON.stringify(hit)
    expect(withCacheMeta(`{ ${CONTENT}}`, hit)).toBe(`{"_meta":{"switchyard/cache":${said}}, ${CONTENT}}`)
    expect(withCacheMeta('{"n":1.0,"_meta":{ "a":1 }}', hit)).toBe(
      `{"n":1.0,"_meta":{"switchyard/cache":${said}, "a":1 }}`,
    )
    expect(withCacheMeta('{"_meta":{"switchyard/cache":"forged"}}', hit)).toBe(
      `{"_meta":{"switchyard/cache":${said}}}`,
    )
    expect(withCacheMeta('{"_meta":7}', hit)).toBe('{"_meta":7}')
  })
})

const open: Border = {
  isOpen: true,
  result: async (raw) => raw,
  notification: async (_, text) => text,
  request: async () => undefined,
  comesBack: false,
  eventId: async () => undefined,
}
const asked: UpstreamRequest = { method: 'elicitation/create', idText: '1' }

/** What is left under `key` after a call during which this happened. */
async function keptAfter(happening: (border: Border, keeping: Keeping) => unknown): Promise<unknown> {
  const shared = { find: async () => undefined, keep: async () => undefined }
  const results = new Results({ shared, budget: new ByteBudget(1_000_000), clock: () => 5 })
  const keeping = new Keeping({ key: 'key', ttlSeconds: 60 }, { results, clock: () => 5 }, () => undefined)
  const border = keeping.border(open)
  await happening(border, keeping)
  expect(await border.result(`{${CONTENT}}`)).toContain('"status":"miss"')
  return results.look('key')
}
const KEPT = { result: `{${CONTENT}}`, keptAt: 5, ttlSeconds: 60 }

describe('a call', () => {
  it('leaves its result', async () => {
    expect(await keptAfter(() => undefined)).toEqual(KEPT)
    expect(new Keeping({ key: '', ttlSeconds: 1 }, {} as never, () => undefined).border(open).isOpen).toBe(
      false,
    )
  })

  it.each(['notifications/progress', 'notifications/message'])('also where it said %s', async (method) => {
    expect(await keptAfter((border) => border.notification(method, '{}'))).toEqual(KEPT)
  })

  it.each(['notifications/tools/list_changed', 'notifications/resources/updated', 'notifications/any'])(
    'not where it said %s',
    async (method) => {
      expect(await keptAfter((border) => border.notification(method, '{}'))).toBeUndefined()
    },
  )

  it('not where it asked for anything, whether it was answered or not', async () => {
    expect(await keptAfter((border) => border.request(asked))).toBeUndefined()
    const ask = async (_: Border, keeping: Keeping): Promise<void> => {
      const inputs = keeping.inputs({ is: 'ask', ask: async () => ({}) as never })
      if (inputs.is === 'ask') await inputs.ask('{}')
    }
    expect(await keptAfter(ask)).toBeUndefined()
    const park = async (_: Border, keeping: Keeping): Promise<void> => {
      const inputs = keeping.inputs({ is: 'park', park: async () => '', returned: async () => undefined })
      if (inputs.is === 'park') await inputs.park({} as never)
    }
    expect(await keptAfter(park)).toBeUndefined()
    expect(await keptAfter((_, keeping) => keeping.inputs({ is: 'none' }))).toEqual(KEPT)
  })
})
