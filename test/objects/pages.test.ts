/** The pages of the management API where the platform serves the files: with its own service of assets, and without. */
import { createExecutionContext } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { describe, expect, it } from 'vitest'
import { ASSETS } from '../../src/admin/assets.ts'
import gateway from '../../src/index.ts'

const ask = (path: string, environment: object = env): Promise<Response> =>
  Promise.resolve(
    gateway.fetch(
      new Request(`https://gateway.example${path}`) as never,
      environment as never,
      createExecutionContext(),
    ),
  )

describe('the pages', () => {
  it.each(ASSETS.map(({ path }) => path))('have their file %s', async (path) => {
    const response = await ask(path)
    expect(response.status).toBe(200)
    expect((await response.text()).length).toBeGreaterThan(0)
  })

  it.each(['/docs', '/redoc', ...ASSETS.map(({ path }) => path)])(
    'say in one sentence what is missing where %s has no files behind it',
    async (path) => {
      for (const ASSETS of [undefined, { fetch: async () => new Response('no', { status: 404 }) }]) {
        const response = await ask(path, { ...env, ASSETS })
        // The page itself is made by the Worker.
        if (ASSETS !== undefined && !path.startsWith('/assets/')) continue
        expect(response.status).toBe(404)
        expect(await response.json()).toMatchObject({ code: 'no_pages', title: 'No pages here' })
      }
      expect((await ask('/openapi.json', { ...env, ASSETS: undefined })).status).toBe(200)
    },
  )
})
