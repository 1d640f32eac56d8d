import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openRedis } from '../../local/redis/redis.ts'
import { startUpstash, type Upstash } from '../../local/redis/upstash.ts'
import type { RegistryImage } from '../../src/registry/image.ts'
import { Publication, registryPlace } from '../../src/storage/publication.ts'
import { QuickStore } from '../../src/storage/quick.ts'
import { Sealer } from '../../src/platform/seal.ts'
import { imageOf, serviceOf } from '../support/image.ts'

let upstash: Upstash
let redis: Awaited<ReturnType<typeof openRedis>>

beforeAll(async () => {
  redis = await openRedis()
  upstash = await startUpstash({ redis, token: 'token', port: 0 })
})
afterAll(async () => {
  await upstash.close()
  await redis.close()
})

const open = (organisation: string, key = 7): Publication<RegistryImage> => {
  const store = new QuickStore(upstash.url, 'token', () => 0)
  return new Publication(
    store,
    new Sealer(new Uint8Array(32).fill(key), 'image'),
    registryPlace(organisation),
  )
}
const image = (version: number) => imageOf(version, [serviceOf('a', ['x', 'ü'])])

describe('the published registry', () => {
  it('comes back as it was', async () => {
    const publication = open('whole')
    expect(await publication.version()).toBeUndefined()
    await publication.publish(image(5))
    expect(await publication.version()).toBe(5)
    expect(await publication.image(5)).toEqual(JSON.parse(JSON.stringify(image(5))))
    expect(await publication.image(4)).toBeUndefined()
  })

  it('never goes back, whichever of two writers is slower', async () => {
    const publication = open('order')
    await publication.publish(image(8))
    await publication.publish(image(7))
    expect(await publication.version()).toBe(8)
    expect(await publication.image(7)).toBeUndefined()
  })

  it('F64 opens for nobody with another key, and for no other organisation', async () => {
    await open('mine').publish(image(9))
    expect(await open('mine', 8).image(9)).toBeUndefined()
    expect(await open('yours').image(9)).toBeUndefined()
  })

  const key = (version: number) => `mcp:registry:broken:snapshot:${version}`
  const kept = async (version: number): Promise<string> => {
    const got = await redis.call(['GET', key(version)])
    return 'reply' in got ? Buffer.from(got.reply as Uint8Array | string).toString() : ''
  }
  it.each<[string, (sealed: string) => string | Promise<string>]>([
    ['truncated', (sealed) => sealed.slice(0, -20)],
    ['cut to nothing', () => ''],
    ['altered', (sealed) => `${sealed.slice(0, 40)}${sealed[40] === 'A' ? 'B' : 'A'}${sealed.slice(41)}`],
    ['an older one in its place', () => kept(10)],
    ['not ours', () => '{"version":11}'],
  ])('F64 an image that is %s is deleted, and can be published anew', async (_, change) => {
    const publication = open('broken')
    await redis.call(['DEL', 'mcp:registry:broken:version'])
    await publication.publish(image(10))
    await publication.publish(image(11))
    await redis.call(['SET', key(11), await change(await kept(11))])
    expect(await publication.image(11)).toBeUndefined()
    expect(await redis.call(['EXISTS', key(11)])).toEqual({ reply: 0 })
    await publication.publish(image(11))
    expect(await publication.image(11)).toMatchObject({ version: 11 })
  })

  it('of another release counts as absent', async () => {
    const key = 'mcp:registry:release:snapshot:6'
    const packed = new Uint8Array(gzipSync(JSON.stringify(image(6))))
    const sealed = await new Sealer(new Uint8Array(32).fill(7), 'image').seal(packed, key)
    await redis.call(['SET', key, sealed])
    expect(await open('release').image(6)).toBeUndefined()
  })

  it('uses the keys that the documents name for the default organisation', async () => {
    await open('default').publish(image(3))
    const kept = await redis.call(['GET', 'mcp:registry:version'])
    expect(JSON.stringify(kept)).toContain('3')
  })
})
