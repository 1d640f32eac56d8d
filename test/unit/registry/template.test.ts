import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readTemplate } from '../../../src/registry/template.ts'

const operators = ['', '+', '#', '.', '/', ';', '?', '&'] as const
const text = fc.stringMatching(/^[ab:/.?&=#]{1,4}$/)
const variable = fc.tuple(fc.constantFrom(...operators), fc.constantFrom('x', 'x,y', 'x*', 'x:3'))
type Piece = { readonly template: string; readonly regexp: string }

/** The same language as a regular expression, which may backtrack: good for short URIs only. */
const BODIES = {
  '': '[^/]*',
  '+': '.*',
  '#': '(#.*)?',
  '.': '(\\.[^/]*)?',
  ';': '(;[^/?#]*)?',
  '?': '(\\?[^#]*)?',
  '&': '(&[^#]*)?',
}
const piece: fc.Arbitrary<Piece> = fc.oneof(
  text.map((template) => ({ template, regexp: template.replaceAll(/[.?/]/g, '\\$&') })),
  variable.map(([operator, names]) => ({
    template: `{${operator}${names}}`,
    regexp: operator !== '/' ? BODIES[operator] : /[,*]/.test(names) ? '(/[^?#]*)?' : '(/[^/?#]*)?',
  })),
)
const pieces = fc.array(piece, { maxLength: 5 })
const join = (all: readonly Piece[], key: keyof Piece) => all.map((one) => one[key]).join('')

describe('a URI template', () => {
  it.each([
    ['test://template/{id}/data', 'test://template/123/data', true],
    ['test://template/{id}/data', 'test://template/1/2/data', false],
    ['test://template/{id}/data', 'test://template//data', true],
    ['test://template/{id}/data', 'test://template/123/data/', false],
    ['file:///{+path}', 'file:///a/b?c#d', true],
    ['file:///{+path}', 'http:///a', false],
    ['repo:{/owner,name}', 'repo:/a/b', true],
    ['repo:{/owner}', 'repo:/a/b', false],
    ['repo:{/path*}', 'repo:/a/b/c', true],
    ['http://h/s{?q,page}', 'http://h/s?q=a/b&page=2', true],
    ['http://h/s{?q,page}', 'http://h/s', true],
    ['http://h/s{?q}', 'http://h/sq', false],
    ['http://h/s?fixed=1{&q}', 'http://h/s?fixed=1&q=2', true],
    ['http://h/s{#part}', 'http://h/s#a/b', true],
    ['a:{x}b{y}', 'a:bbb', true],
    ['a:é{x}', 'a:é日', true],
    ['a:plain', 'a:plain', true],
    ['a:{', 'a:{', false],
    ['a:}', 'a:}', false],
    ['a:{}', 'a:', false],
    ['a:{|x}', 'a:', false],
  ])('%s and %s: %s', (template, uri, expected) => {
    expect(readTemplate(template)(uri)).toBe(expected)
  })

  it('matches what the regular expression of the same meaning matches', () => {
    const uris = fc.stringMatching(/^[ab:/.?&=#;]{0,10}$/)
    fc.assert(
      fc.property(pieces, fc.array(uris, { minLength: 5, maxLength: 20 }), (all, candidates) => {
        const matches = readTemplate(join(all, 'template'))
        const regexp = new RegExp(`^${join(all, 'regexp')}$`, 's')
        for (const uri of candidates) {
          expect(matches(uri), `${join(all, 'template')} and ${uri}`).toBe(regexp.test(uri))
        }
      }),
      { numRuns: 2_000 },
    )
  })

  it('takes time in proportion, whatever upstream and caller write', () => {
    const hostile = fc.array(fc.constantFrom('a', 'aa', '{x}', '{+x}', '{/x*}', '{.x}'), { maxLength: 14 })
    const worst = ['a', '/', '.', 'a/', 'aa.'].map((unit) => `${unit.repeat(2_000).slice(0, 2_040)}b`)
    fc.assert(
      fc.property(hostile, fc.constantFrom(...worst), (parts, uri) => {
        const matches = readTemplate(parts.join(''))
        const start = performance.now()
        matches(uri)
        // Some 2,000 × 14 steps; a backtracking matcher would need 2,000 to the power of the expressions.
        expect(performance.now() - start).toBeLessThan(50)
      }),
    )
  })

  it('asks nothing of what is longer than any sensible URI or template', () => {
    expect(readTemplate('a:{+x}')(`a:${'x'.repeat(2_046)}`)).toBe(true)
    expect(readTemplate('a:{+x}')(`a:${'x'.repeat(2_047)}`)).toBe(false)
    expect(readTemplate(`a:${'{+x}'.repeat(15)}`)('a:x')).toBe(true)
    expect(readTemplate(`a:${'{+x}'.repeat(16)}`)('a:x')).toBe(false)
  })
})
