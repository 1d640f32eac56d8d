/** A writer that dies between its commit and the publication leaves Redis behind; the next gateway mends it. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startShoppingService } from '../../examples/shopping-service/server.ts'
import type { Service } from '../../examples/service.ts'
import { eventually } from '../support/gateway.ts'
import { startStack, type Stack } from '../support/stack.ts'

let stack: Stack
let shop: Service

beforeAll(async () => {
  stack = await startStack()
  shop = await startShoppingService(0)
})
afterAll(async () => {
  await stack.close()
  await shop.close()
})

const committed = async (): Promise<number> =>
  Number((await stack.query('select version from registry_versions'))[0]?.['version'])

async function published(): Promise<number> {
  const headers = { authorization: 'Bearer redis-token' }
  const response = await fetch(`${stack.redisUrl}/get/mcp:registry:version`, { headers })
  return Number(JSON.parse(await response.text()).result)
}

describe('a commit that was never published', () => {
  it('is published by the next gateway that starts, and seen by those that run', async () => {
    const running = await stack.gateway()
    await running.register('shop', shop.url)
    await eventually(5_000, async () => expect(await published()).toBe(await committed()))
    await stack.query(`update services set status = 'disconnected', is_enabled = false`)
    await stack.query('update registry_versions set version = version + 1')
    expect(await published()).toBe((await committed()) - 1)
    await (await stack.gateway()).rpc('tools/list')
    await eventually(5_000, async () => expect(await published()).toBe(await committed()))
    await eventually(5_000, async () => expect(await running.toolNames()).toEqual([]))
  })
})
