import { describe, expect, it } from 'vitest'
import type { RegistryImage } from '../../../src/registry/image.ts'
import { ok, err, type Result } from '../../../src/platform/result.ts'
import { FRESHNESS, type ReplicaSource, type TruthLoss } from '../../../src/platform/replica.ts'
import { Registry, USELESS_AFTER_MS } from '../../../src/registry/registry.ts'
import { imageOf } from '../../support/image.ts'

/** A quick store and a truth that can be taken away, and counters of who was asked. */
function startRegistry() {
  const world = {
    now: 1_000_000,
    published: 1 as number | undefined,
    committed: 1 as number | undefined,
    isPublishedImageLost: false,
    isTruthBehind: false,
    permissions: [] as RegistryImage['permissions'],
    asked: { publishedVersion: 0, publishedImage: 0, committedVersion: 0, committedImage: 0, publish: 0 },
    hold: undefined as Promise<void> | undefined,
  }
  const image = (version: number | undefined): RegistryImage | undefined =>
    version === undefined ? undefined : { ...imageOf(version, []), permissions: world.permissions }
  const truth = <T>(value: T | undefined): Result<T, TruthLoss> =>
    value === undefined ? err(world.isTruthBehind ? 'behind' : 'away') : ok(value)
  const source: ReplicaSource<RegistryImage> = {
    async publishedVersion() {
      world.asked.publishedVersion++
      await world.hold
      return world.published
    },
    async publishedImage(version) {
      world.asked.publishedImage++
      return world.isPublishedImageLost || version !== world.published ? undefined : image(version)
    },
    async committedVersion() {
      world.asked.committedVersion++
      return truth(world.committed)
    },
    async committedImage() {
      world.asked.committedImage++
      return truth(image(world.committed))
    },
    async publish(published) {
      world.asked.publish++
      world.published = published.version
    },
  }
  const pending: Promise<unknown>[] = []
  const background = (work: Promise<unknown>): void => void pending.push(work)
  const registry = new Registry(source, () => world.now)
  const ask = async (afterMs = 0) => {
    world.now += afterMs
    const current = await registry.current(background)
    await Promise.all(pending.splice(0))
    return current.ok ? current.value.version : current.error.why
  }
  return { world, registry, ask, background }
}

async function waitFor(registry: Registry, background: (work: Promise<unknown>) => void) {
  const askedAt = performance.now()
  const current = await registry.current(background)
  return { isOk: current.ok, waitedMs: performance.now() - askedAt }
}

describe('freshness of the registry', () => {
  it('answers from memory and looks at most once a second', async () => {
    const { world, ask } = startRegistry()
    await ask()
    for (let at = 0; at < 100; at++) await ask(10)
    expect(world.asked).toMatchObject({
      publishedVersion: 2,
      publishedImage: 1,
      committedVersion: 0,
      committedImage: 0,
    })
  })

  it('shows a change of another isolate to the second request after it, within two seconds', async () => {
    const { world, ask } = startRegistry()
    await ask()
    world.published = 2
    expect(await ask(FRESHNESS.lookEveryMs)).toBe(1)
    expect(await ask(1)).toBe(2)
  })

  it('makes a request wait for a look when the last good one is older than five seconds', async () => {
    const { world, ask } = startRegistry()
    await ask()
    world.published = 2
    expect(await ask(FRESHNESS.staleAfterMs + 1)).toBe(2)
  })

  it('asks the truth, less often, while the quick store is away', async () => {
    const { world, ask } = startRegistry()
    await ask()
    world.published = undefined
    world.committed = 2
    await ask(FRESHNESS.lookEveryMs)
    expect(await ask(1)).toBe(2)
    for (let at = 0; at < 60; at++) await ask(100)
    expect(world.asked.committedVersion).toBeLessThanOrEqual(4)
  })

  it('F53 serves the last good snapshot for ten minutes while everything is away, then says so', async () => {
    const { world, ask } = startRegistry()
    await ask()
    world.published = undefined
    world.committed = undefined
    expect(await ask(FRESHNESS.staleAfterMs + 1)).toBe(1)
    expect(await ask(10 * 60_000 - 10_000)).toBe(1)
    expect(await ask(10_000)).toBe('unavailable')
    world.committed = 5
    expect(await ask(FRESHNESS.lookAtTruthEveryMs)).toBe(5)
  })

  it('F64 loads from the truth what is lost or does not open, and publishes it anew', async () => {
    const { world, ask } = startRegistry()
    world.isPublishedImageLost = true
    expect(await ask()).toBe(1)
    expect(world.asked).toMatchObject({ committedImage: 1, publish: 1 })
  })

  it('asks the quick store for no image while it does not know the version', async () => {
    const { world, ask } = startRegistry()
    world.published = undefined
    expect(await ask()).toBe(1)
    expect(world.asked).toMatchObject({ publishedImage: 0, committedImage: 1, publish: 0 })
  })

  it('F66 never goes back to an older version', async () => {
    const { world, ask } = startRegistry()
    world.published = 7
    expect(await ask()).toBe(7)
    world.published = 3
    await ask(FRESHNESS.lookEveryMs)
    expect(await ask(FRESHNESS.lookEveryMs)).toBe(7)
    expect(world.asked).toMatchObject({ publishedImage: 1, committedImage: 0 })
  })

  it('F66 asks the truth when a lagging replica of the quick store answers', async () => {
    const { world, ask } = startRegistry()
    world.published = 7
    expect(await ask()).toBe(7)
    world.published = 3
    world.committed = 8
    await ask(FRESHNESS.lookEveryMs)
    expect(await ask(1)).toBe(8)
  })

  it('F66 takes what a lagging replica says for no sign that all is as it was', async () => {
    const { world, ask } = startRegistry()
    world.published = 7
    await ask()
    world.published = 3
    world.committed = undefined
    expect(await ask(USELESS_AFTER_MS.catalogue)).toBe(7)
    expect(await ask(1_000)).toBe('unavailable')
  })

  it('F53 serves one that says who may see what no longer than a minute', async () => {
    const { world, ask } = startRegistry()
    world.permissions = [{ agentType: '*', tool: 'x', isAllowed: false }]
    await ask()
    world.published = undefined
    world.committed = undefined
    expect(await ask(USELESS_AFTER_MS.rules)).toBe(1)
    expect(await ask(1_000)).toBe('unavailable')
  })

  it('F66 keeps what it has when a lagging replica answers after a write', async () => {
    const { world, ask, registry, background } = startRegistry()
    world.published = 7
    await ask()
    world.committed = 3
    const reloaded = await registry.reload(background)
    expect(reloaded.ok && reloaded.value.version).toBe(7)
  })

  it('F65 a hundred requests at once make one look', async () => {
    const { world, ask } = startRegistry()
    await Promise.all(Array.from({ length: 100 }, () => ask()))
    expect(world.asked).toMatchObject({ publishedVersion: 1, publishedImage: 1 })
  })

  it('F52 makes a request with nothing to answer from wait 2 s at most', async () => {
    const { world, registry, background } = startRegistry()
    world.hold = new Promise(() => undefined)
    const { isOk, waitedMs } = await waitFor(registry, background)
    expect(isOk).toBe(false)
    expect(waitedMs).toBeGreaterThan(1_900)
    expect(waitedMs).toBeLessThan(4_000)
  })

  it('F55 a look that hangs delays only those who come in its first half second', async () => {
    const { world, registry, background, ask } = startRegistry()
    await ask()
    world.hold = new Promise(() => undefined)
    world.now += FRESHNESS.staleAfterMs + 1
    expect((await waitFor(registry, background)).waitedMs).toBeGreaterThan(FRESHNESS.waitMs - 50)
    world.now += FRESHNESS.lookEveryMs
    const { isOk, waitedMs } = await waitFor(registry, background)
    expect(isOk).toBe(true)
    expect(waitedMs).toBeLessThan(300)
  })

  it('F58 says of the truth that its tables are behind', async () => {
    const { world, registry, ask, background } = startRegistry()
    await ask()
    world.isTruthBehind = true
    world.committed = undefined
    for (const answer of [await registry.committed(background), await registry.reload(background)])
      expect(answer).toEqual({ ok: false, error: 'behind' })
    expect(await ask()).toBe(1)
  })

  it('gives up a look that never settles, and looks again', async () => {
    const { world, ask, registry, background } = startRegistry()
    await ask()
    world.hold = new Promise(() => undefined)
    void registry.look(background)
    world.hold = undefined
    world.now += FRESHNESS.lostAfterMs + 1
    await registry.look(background)
    expect(world.asked.publishedVersion).toBe(3)
  })

  it('uses what was written here at once and shows it to the others', async () => {
    const { world, ask, registry, background } = startRegistry()
    await ask()
    world.committed = 9
    const reloaded = await registry.reload(background)
    expect(reloaded.ok && reloaded.value.version).toBe(9)
    expect(await ask()).toBe(9)
    expect(world.published).toBe(9)
  })

  it('heals what a crash between commit and publication left behind, once', async () => {
    const { world, registry } = startRegistry()
    world.committed = 4
    await registry.heal()
    await registry.heal()
    expect(world.published).toBe(4)
    expect(world.asked.publish).toBe(1)
  })
})
