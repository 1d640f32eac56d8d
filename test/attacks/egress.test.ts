/** Where requests go: only to addresses that the policy of today allows. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startShoppingService } from '../../examples/shopping-service/server.ts'
import type { Service } from '../../examples/service.ts'
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

describe('a private address that was registered while it was allowed', () => {
  it('S01 is not called once it is no longer, and not rediscovered either', async () => {
    const open = await stack.gateway()
    expect((await open.register('shop', shop.url)).status).toBe(201)
    const call = { name: 'getProductById', arguments: { id: '123' } }
    expect((await open.rpc('tools/call', call)).body.result.isError).toBeUndefined()
    const closed = await stack.gateway({ ALLOW_PRIVATE_UPSTREAMS: undefined })
    const { status, body } = await closed.rpc('tools/call', call)
    expect([status, body.error.code, body.error.data]).toEqual([200, -31501, { upstream: 'shop' }])
    expect(body.error.message).toContain('may not be called')
    expect((await closed.manage('POST', '/api/v1/servers/shop/refresh')).body.code).toBe(
      'upstream_address_refused',
    )
  })
})
