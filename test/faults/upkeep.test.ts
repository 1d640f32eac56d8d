/** What the gateway does unasked fits into one invocation of the platform; what does not fit is done in the next. */
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { storageAway } from '../../src/admin/problem.ts'
import { Upkeep, UPKEEP } from '../../src/admin/upkeep.ts'
import { ByteBudget } from '../../src/platform/budget.ts'
import { err, ok } from '../../src/platform/result.ts'
import { Sealer } from '../../src/platform/seal.ts'
import { LIMITS } from '../../src/protocol/limits.ts'
import type { ServiceRecord } from '../../src/registry/image.ts'
import { Registry } from '../../src/registry/registry.ts'
import { Snapshot } from '../../src/registry/snapshot.ts'
import { openDatabase } from '../../src/storage/database.ts'
import { Patience } from '../../src/storage/patience.ts'
import { Publication, registryPlace } from '../../src/storage/publication.ts'
import { QuickStore } from '../../src/storage/quick.ts'
import { registryLoader } from '../../src/storage/image.ts'
import { StoredSource } from '../../src/storage/source.ts'
import type { RegistryImage } from '../../src/registry/image.ts'
import { discover } from '../../src/upstream/discovery.ts'
import { eventually, type Gateway } from '../support/gateway.ts'
import { imageOf, serviceOf } from '../support/image.ts'
import { startStack, type Stack } from '../support/stack.ts'
import { startUpstream, type Upstream } from '../support/upstream.ts'

const names = (count: number): string[] => Array.from({ length: count }, (_, at) => `s${at}`)

/** Services that failed, and services of the environment that cannot be registered; each contact takes a while. */
function startUpkeep(failed: readonly string[], configured: readonly string[] = []) {
  const world = {
    now: 1_000_000,
    contactMs: 0,
    contacted: [] as string[],
    lots: [] as number[],
    hold: undefined as Promise<void> | undefined,
  }
  const services = failed.map((name) => serviceOf(name, [], { status: 'error' }))
  const snapshot = new Snapshot(imageOf(1, services))
  const logged: string[] = []
  const contact = async (name: string): Promise<void> => {
    world.contacted.push(name)
    world.now += world.contactMs
    await world.hold
  }
  const upkeep = new Upkeep({
    registry: { heal: async () => undefined, held: { snapshot, ageMs: 0 } },
    registrar: {
      recover: ({ name }: ServiceRecord) => contact(name),
    },
    environment: {
      apply: async ({ name }) => {
        await contact(name)
        return name.startsWith('bad') ? err(storageAway) : ok(undefined)
      },
    },
    reseal: async () => undefined,
    configured: () => configured.map((name) => ({ name, url: 'https://one.example/mcp' })),
    clock: () => world.now,
    random: () => world.lots.shift() ?? 0,
    log: (_level, event) => void logged.push(event),
  })
  const run = async (afterMs: number = UPKEEP.everyMs): Promise<string[]> => {
    world.now += afterMs
    world.contacted = []
    await upkeep.run(() => undefined)
    return world.contacted
  }
  return { world, upkeep, run, logged }
}

describe('a run of the upkeep', () => {
  it('F68 contacts a few, the longest-waiting first, so that all are reached over several runs', async () => {
    const { run } = startUpkeep(names(8))
    expect(await run()).toEqual(['s0', 's1', 's2'])
    expect(await run()).toEqual(['s3', 's4', 's5'])
    expect(await run()).toEqual(['s6', 's7', 's0'])
    expect(await run()).toEqual(['s1', 's2', 's3'])
  })

  it('F68 begins by lot, so that isolates that live for one run do not all begin with the same', async () => {
    const { world, run } = startUpkeep(names(8))
    world.lots = [0.1, 0.9, 0.2, 0.8, 0.3, 0.7, 0.4, 0.6]
    expect(await run()).toEqual(['s1', 's3', 's5'])
  })

  it('F68 leaves a service alone that was contacted a moment ago, however often it runs', async () => {
    const { run } = startUpkeep(names(4))
    expect(await run()).toEqual(['s0', 's1', 's2'])
    expect(await run(1_000)).toEqual(['s3'])
    expect(await run(1_000)).toEqual([])
  })

  it('F68 counts services of the environment among them, in their order', async () => {
    const { run } = startUpkeep(names(2), ['one', 'two', 'three', 'four'])
    expect(await run()).toEqual(['one', 'two', 'three'])
    expect(await run()).toEqual(['four', 's0', 's1'])
  })

  it('F68 lets services of the environment that cannot be registered keep nobody waiting', async () => {
    const { run } = startUpkeep(names(2), ['bad-1', 'bad-2', 'bad-3', 'bad-4'])
    expect(await run()).toEqual(['bad-1', 'bad-2', 'bad-3'])
    expect(await run()).toEqual(['bad-4', 's0', 's1'])
    expect(await run()).toEqual(['bad-1', 'bad-2', 'bad-3'])
  })

  it('F69 begins nothing that would not be over in time, and the next response goes on with it', async () => {
    const { world, run, upkeep } = startUpkeep([], ['one', 'two', 'three'])
    world.contactMs = UPKEEP.beginWithinMs
    expect(await run()).toEqual(['one'])
    world.contacted = []
    const pending: Promise<unknown>[] = []
    upkeep.tick((work) => void pending.push(work))
    await Promise.all(pending)
    expect(world.contacted).toEqual(['two'])
  })

  it('F69 waits for nobody longer than the platform does, and says so', async () => {
    vi.useFakeTimers()
    try {
      const { world, upkeep, logged } = startUpkeep(names(1))
      world.hold = new Promise(() => undefined)
      const over = upkeep.run(() => undefined).then(() => 'over')
      await vi.advanceTimersByTimeAsync(UPKEEP.endWithinMs - 1)
      expect(logged).toEqual([])
      await vi.advanceTimersByTimeAsync(1)
      expect(await over).toBe('over')
      expect(logged).toEqual(['upkeep_cut'])
    } finally {
      vi.useRealTimers()
    }
  })
})

describe('an invocation that may send no more requests', () => {
  /** The platform's `fetch`, which throws from then on. */
  const allow = (requests: number) => {
    const { fetch } = globalThis
    let sent = 0
    vi.spyOn(globalThis, 'fetch').mockImplementation((...request) => {
      if (++sent > requests) throw new Error('Too many subrequests.')
      return fetch(...request)
    })
  }
  afterEach(() => vi.restoreAllMocks())

  it.each([0, 1, 2, 3])('F68 ends a discovery after %i with a fault, no crash', async (requests) => {
    const upstream = await startUpstream({ era: 'legacy' })
    allow(requests)
    const connection = {
      url: upstream.url,
      transport: 'http',
      headers: {},
      auth: { type: 'none' },
      budget: new ByteBudget(LIMITS.memoryBytes),
    } as const
    expect((await discover(connection)).ok).toBe(false)
    await upstream.stop()
  })

  it('F68 finds both stores away', async () => {
    allow(0)
    const sealer = new Sealer(new Uint8Array(32), 'image')
    const publication = new Publication<RegistryImage>(
      new QuickStore('http://127.0.0.1:1', 'token', Date.now),
      sealer,
      registryPlace('x'),
    )
    const patience = new Patience({ clock: Date.now, random: Math.random, log: () => undefined })
    const database = openDatabase('postgres://user:password@127.0.0.1:1/db', 1_000)
    const source = new StoredSource(database, patience, publication, registryLoader('x'))
    const registry = new Registry(source, Date.now)
    await registry.heal()
    expect(await registry.current(() => undefined)).toMatchObject({ error: { why: 'unavailable' } })
    expect(await registry.committed(() => undefined)).toEqual({ ok: false, error: 'away' })
  })
})

describe('ten services that come back', () => {
  let stack: Stack
  let upstreams: Upstream[]
  let gateway: Gateway
  beforeAll(async () => {
    stack = await startStack()
    upstreams = await Promise.all(names(10).map(() => startUpstream({ era: 'legacy' })))
    gateway = await stack.gateway()
    const fallbackTools = [{ name: 'later', inputSchema: { type: 'object' } }]
    for (const [at, upstream] of upstreams.entries()) {
      upstream.dial.set({ is: 'reset' })
      const { body } = await gateway.register(`s${at}`, upstream.url, { fallbackTools })
      expect(body.status).toBe('error')
      upstream.dial.clear()
      upstream.requests.length = 0
    }
  })
  afterAll(async () => {
    await stack.close()
    await Promise.all(upstreams.map((upstream) => upstream.stop()))
  })

  it('F68 are all found again by a gateway that starts anew, a few with each response', async () => {
    const anew = await stack.gateway()
    await eventually(10_000, () => expect(contacted()).toBe(UPKEEP.servicesPerRun))
    await eventually(15_000, async () => {
      const { body } = await anew.manage('GET', '/api/v1/servers')
      await anew.rpc('tools/list')
      expect(body.items.map(({ status }: { status: string }) => status)).toEqual(
        names(10).map(() => 'connected'),
      )
    })
  })
  const contacted = (): number => upstreams.filter(({ requests }) => requests.length > 0).length
})
