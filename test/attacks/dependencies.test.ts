/** What is installed is what was looked at: every package at one version with one content (S63). */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

const ROOT = join(import.meta.dirname, '../..')
const read = (file: string): any => JSON.parse(readFileSync(join(ROOT, file), 'utf8'))

const manifest = read('package.json')
const packages = Object.entries<any>(read('package-lock.json').packages).filter(([path]) => path !== '')
const nameOf = (path: string): string => path.split('node_modules/').at(-1) ?? ''

describe('S63 dependencies', () => {
  it('are named at one version', () => {
    const versions = Object.entries<string>({ ...manifest.dependencies, ...manifest.devDependencies })
    expect(versions.filter(([, version]) => !/^(npm:.+@)?\d+\.\d+\.\d+(-[\w.]+)?$/.test(version))).toEqual([])
  })

  it('are locked by the digest of their content', () => {
    const loose = packages.filter(([, { integrity }]) => !integrity.startsWith('sha512-'))
    expect(loose.map(([path]) => path)).toEqual([])
  })

  it('run no script at installation but those that were allowed by name', () => {
    const withScript = packages
      .filter(([, { hasInstallScript }]) => hasInstallScript)
      .map(([path]) => nameOf(path))
    const decided = Object.entries<boolean>(manifest.allowScripts)
    expect(new Set(withScript)).toEqual(new Set(decided.map(([name]) => name)))
    const allowed = decided.flatMap(([name, isAllowed]) => (isAllowed ? [name] : []))
    expect(allowed.toSorted()).toEqual(['esbuild', 'node', 'workerd'])
  })

  it('tell nobody that they were installed, also where npm does not know of scripts that are not allowed', () => {
    expect(manifest.scarfSettings).toEqual({ enabled: false })
  })

  it('hold no SDK with known holes', () => {
    const sdks = packages.filter(([path]) => nameOf(path) === '@modelcontextprotocol/sdk')
    for (const [, { version }] of sdks) {
      const [major = 0, minor = 0] = version.split('.').map(Number)
      expect(major > 1 || minor >= 26).toBe(true)
    }
  })
})
