/** The guard of a service refreshes its upstream's credential, whatever happens to the guard meanwhile. */
import { abortAllDurableObjects, evictDurableObject, runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { beforeEach, describe, expect, inject, it, vi } from 'vitest'
import type { Facts } from '../support/token-endpoint.ts'
import { callModern, register } from './caller.ts'

const ENDED = { expiresAt: '2026-01-01T00:00:00Z' }

const ask = async (path: string): Promise<any> =>
  await (await fetch(`${inject('authorization')}${path}`)).json()
const facts = (): Promise<Facts> => ask('/facts')

let before: Facts
let count = 0
let name = ''
let stub: ReturnType<typeof env.SERVICE_GUARD.get>
beforeEach(async () => {
  name = `guarded-${++count}`
  const auth = { ...(await ask('/sign-in')), ...ENDED }
  const { id } = await register(name, inject('upstreams').demanding, { auth })
  stub = env.SERVICE_GUARD.get(env.SERVICE_GUARD.idFromName(`default/${id}`))
  before = await facts()
})

const call = async (): Promise<unknown> => {
  const answer = await callModern('tools/call', { name: `${name}__echo`, arguments: { text: 'x' } }, {})
  return answer.result?.content[0].text ?? answer
}
const fifty = (): Promise<unknown[]> => Promise.all(Array.from({ length: 50 }, call))
const asked = async (): Promise<number> => (await facts()).asked - before.asked

describe('fifty calls that meet a token that has ended', () => {
  it('are one refresh, also where the guard is evicted in the middle', async () => {
    const calls = fifty()
    await vi.waitFor(async () => expect(await asked()).toBe(1), { timeout: 5_000, interval: 10 })
    await evictDurableObject(stub)
    expect(new Set(await calls)).toEqual(new Set(['x']))
    expect(new Set(await fifty())).toEqual(new Set(['x']))
    expect(await asked()).toBe(1)
  })

  it('are one refresh, also where all guards are lost right after it', async () => {
    expect(await call()).toBe('x')
    await abortAllDurableObjects()
    expect(new Set(await fifty())).toEqual(new Set(['x']))
    expect(await asked()).toBe(1)
  })
})

it('a guard keeps what it was given under a seal only, and knows what is committed', async () => {
  expect(await call()).toBe('x')
  const kept = await runInDurableObject(stub, (_object, { storage }) => [...storage.kv.list()])
  expect(kept).toContainEqual([
    'credential',
    {
      service: expect.objectContaining({ organisationId: 'default', name }),
      sealed: expect.stringMatching(/^[A-Za-z0-9+/=]{100,}$/),
      isPending: false,
    },
  ])
  expect(JSON.stringify(kept)).not.toMatch(/[ar]t-[0-9a-f]{8}-/)
})
