import { describe, expect, it } from 'vitest'
import { digestsOf } from '../../../src/registry/digest.ts'
import type { ServiceRecord } from '../../../src/registry/image.ts'
import { type Endpoint, Snapshot } from '../../../src/registry/snapshot.ts'
import { withheldTools } from '../../../src/registry/withhold.ts'
import { imageOf, offering } from '../../support/image.ts'

const ALL: Endpoint = { is: 'all', names: 'bare' }
const namesIn = (snapshot: Snapshot): string[] => {
  const page = snapshot.list('tool', ALL, 'legacy').page(undefined)
  return JSON.parse(new TextDecoder().decode(page)).tools.map(({ name }: { name: string }) => name)
}
async function pinned(
  approved: readonly string[],
  record: Partial<ServiceRecord> = {},
): Promise<ServiceRecord> {
  const service = offering('a', { tools: ['one', 'two', 'constructor'] })
  const digests = await digestsOf(service.catalogue?.tools ?? '[]')
  const chosen = Object.fromEntries(approved.map((tool) => [tool, digests[tool] ?? '']))
  return { ...service, config: { pinDefinitions: true }, digests, approved: chosen, ...record }
}

describe('a tool is withheld', () => {
  it('S35 unless it is as it was approved, whatever its name', async () => {
    const service = await pinned(['one'], {})
    const changed = { ...service, approved: { ...service.approved, two: 'f'.repeat(64) } }
    expect([...withheldTools(changed)]).toEqual([
      ['two', 'changed since it was approved'],
      ['constructor', 'not approved'],
    ])
  })

  it('S35 where no digest of it is known', async () => {
    expect(withheldTools(await pinned(['one'], { digests: {} })).size).toBe(3)
  })

  it('S35 only where its service pins', async () => {
    expect(withheldTools(await pinned([], { config: {} })).size).toBe(0)
  })

  it('S35 no more once it is approved, although the catalogue is the same', async () => {
    const before = new Snapshot(imageOf(1, [await pinned(['one'])]))
    const after = new Snapshot(imageOf(2, [await pinned(['one', 'two'])]))
    expect([namesIn(before), namesIn(after)]).toEqual([['one'], ['one', 'two']])
    const [was, is] = [before, after].map((snapshot) => snapshot.viewFingerprint('tools', ALL))
    expect(is).not.toBe(was)
  })

  it('S37 and keeps its name', async () => {
    const services = [await pinned([]), offering('b', { tools: ['one'] })]
    const snapshot = new Snapshot(imageOf(1, services))
    expect(namesIn(snapshot)).toEqual(['b__one'])
    expect(snapshot.resolve('tool', 'one', ALL)?.service.name).toBe('a')
  })

  it('and a prompt of the same name is not', async () => {
    const service = offering('a', { tools: ['one'], prompts: ['one'] })
    const snapshot = new Snapshot(imageOf(1, [{ ...service, config: { pinDefinitions: true } }]))
    const page = snapshot.list('prompt', ALL, 'legacy').page(undefined)
    expect(new TextDecoder().decode(page)).toContain('"name":"one"')
  })
})
