/** The pages of the management API over HTTP: what they are made of, and what they allow. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ASSETS, filesOf, LIBRARIES, libraryPath } from '../../src/admin/assets.ts'
import { exchange } from '../support/wire.ts'
import type { Gateway } from '../support/gateway.ts'
import { startStack, type Stack } from '../support/stack.ts'

const MODULES = join(import.meta.dirname, '../../node_modules')
const PAGES = ['/docs', '/redoc']

let stack: Stack
let gateway: Gateway
beforeAll(async () => {
  stack = await startStack()
  gateway = await stack.gateway()
})
afterAll(() => stack.close())

const readText = (...path: string[]): Promise<string> => readFile(join(MODULES, ...path), 'utf8')

/** The sources of each directive. */
const policyOf = (headers: Headers): Readonly<Record<string, readonly string[]>> =>
  Object.fromEntries(
    (headers.get('content-security-policy') ?? '').split('; ').map((directive) => {
      const [name = '', ...sources] = directive.split(' ')
      return [name, sources]
    }),
  )

describe.each(PAGES)('%s', (path) => {
  it('S34 lets nothing in that this gateway does not serve, and nobody frame it', async () => {
    const { status, headers } = await gateway.fetch(path)
    expect([status, headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8'])
    const { 'style-src': styles = [], 'worker-src': workers, ...others } = policyOf(headers)
    expect(others).toEqual({
      'default-src': ["'none'"],
      'script-src': ["'self'"],
      'img-src': ["'self'", 'data:'],
      'connect-src': ["'self'"],
      'base-uri': ["'none'"],
      'form-action': ["'none'"],
      'frame-ancestors': ["'none'"],
    })
    for (const source of styles) expect(source).toMatch(/^'(self|sha256-[\w+/]{43}=)'$/)
    expect(workers).toEqual([path === '/redoc' ? 'blob:' : "'none'"])
    expect(headers.get('x-content-type-options')).toBe('nosniff')
    expect(headers.get('referrer-policy')).toBe('no-referrer')
    expect(headers.get('cross-origin-opener-policy')).toBe('same-origin')
  })

  it('is made of nothing but files of its gateway, and holds no script of its own', async () => {
    const { text } = await gateway.fetch(path)
    const named = [...text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, url]) => url)
    const known = ASSETS.map((asset) => asset.path)
    expect(named.filter((url) => url !== 'data:,' && !known.includes(url ?? ''))).toEqual([])
    expect(named.length).toBeGreaterThan(2)
    expect(text).not.toMatch(/<script>|<style|\bon\w+=|:\/\//)
  })
})

describe('the files of the pages', () => {
  it.each(LIBRARIES)('of $name are those of the installed version', async (library) => {
    const { version } = JSON.parse(await readText(library.name, 'package.json'))
    expect(library.version).toBe(version)
    for (const file of filesOf(library)) {
      const { status, text } = await gateway.fetch(libraryPath(library, file))
      expect([file, status]).toEqual([file, 200])
      const picture = '"https://cdn.redoc.ly/redoc/logo-mini.svg"'
      expect(text === (await readText(library.name, file)).replace(picture, '"data:,"')).toBe(true)
    }
  })

  it.each([
    ['script', /\.js$/, 'text/javascript; charset=utf-8'],
    ['style sheet', /\.css$/, 'text/css; charset=utf-8'],
    ['notice', /(\.txt|LICENSE|NOTICE)$/, 'text/plain; charset=utf-8'],
  ])('are what they are called: a %s', async (_, name, type) => {
    const paths = ASSETS.filter(({ path }) => name.test(path)).map(({ path }) => path)
    expect(paths.length).toBeGreaterThan(1)
    for (const path of paths) {
      const { headers } = await gateway.fetch(path)
      expect(headers.get('content-type')).toBe(type)
      expect(headers.get('x-content-type-options')).toBe('nosniff')
      expect(headers.get('cross-origin-resource-policy')).toBe('same-origin')
    }
  })

  it('are kept by a browser where their path names their version, and asked for again where not', async () => {
    for (const { path, isFixed } of ASSETS) {
      const { headers } = await gateway.fetch(path)
      const etag = headers.get('etag')
      expect(headers.get('cache-control')).toBe(isFixed ? 'public, max-age=31536000, immutable' : 'no-cache')
      expect(etag !== null).toBe(isFixed)
      if (etag === null) continue
      for (const tag of [etag, `W/${etag}`, `"other", ${etag}`]) {
        const { status, text } = await gateway.fetch(path, { headers: { 'if-none-match': tag } })
        expect([status, text]).toEqual([304, ''])
      }
      expect((await gateway.fetch(path, { headers: { 'if-none-match': '"other"' } })).status).toBe(200)
    }
  })

  it.each([
    '/assets',
    '/assets/',
    '/assets/nothing.js',
    '/assets/redoc-2.5.4',
    '/assets/redoc-2.5.4/',
    '/assets/redoc-2.5.4/bundles/redoc.standalone.js.map',
    '/assets/../assets/docs.js/..',
    '/assets/..%2f..%2f..%2fpackage.json',
    '/assets/%2e%2e/%2e%2e/%2e%2e/package.json',
    '/assets/redoc-2.5.4/../../../../package.json',
    '/assets/docs.js%00',
    '/assets//docs.js',
    '/docs.js',
    '/docs/',
    '/index.html',
  ])('are those alone: there is no %s', async (path) => {
    const { status, text } = await exchange(gateway.url, {
      method: 'GET',
      path,
      headers: {},
      body: new Uint8Array(),
    })
    expect([status, text]).toEqual([404, '{"error":"not_found"}'])
  })

  it('answer no method but those that read', async () => {
    for (const method of ['POST', 'PUT', 'DELETE', 'PATCH']) {
      for (const path of ['/docs', '/assets/docs.js']) {
        expect((await gateway.fetch(path, { method })).status).toBe(404)
      }
    }
    const { status, headers, text } = await gateway.fetch('/assets/docs.js', { method: 'HEAD' })
    expect([status, text, headers.get('content-type')]).toEqual([200, '', 'text/javascript; charset=utf-8'])
  })
})

describe('the pages hold what holds everywhere', () => {
  const paths = [...PAGES, '/assets/docs.js', '/openapi.json']

  it('S32 another name than the listed ones is refused', async () => {
    const listed = await stack.gateway({ ALLOWED_HOSTS: 'gateway.example' })
    for (const path of paths) {
      const { status } = await listed.fetch(path)
      expect([path, status]).toEqual([path, 403])
    }
  })

  it('F71 a gateway without its secrets shows nothing', async () => {
    const lacking = await stack.gateway({ API_KEY: undefined })
    for (const path of paths) {
      const { status } = await lacking.fetch(path)
      expect([path, status]).toEqual([path, 503])
    }
  })
})
