/** Imports point one way (docs/design.md, "Folders"). Parsed from the sources, so a new file is covered at once. */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { describe, expect, it } from 'vitest'

const ROOT = join(import.meta.dirname, '../../src')
const FEATURES = ['identity', 'registry', 'guard', 'upstream', 'telemetry']

/** What a folder may import besides itself. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  platform: [],
  protocol: ['platform'],
  ...Object.fromEntries(FEATURES.map((folder) => [folder, ['platform', 'protocol']])),
  mcp: ['platform', 'protocol', ...FEATURES],
  durable: ['platform', 'protocol', 'mcp', ...FEATURES],
  storage: ['platform', 'protocol', ...FEATURES],
  admin: ['platform', 'protocol', 'storage', ...FEATURES],
}

type Arrow = { readonly file: string; readonly from: string; readonly to: string; readonly target: string }

const IMPORT = /^\s*(?:import|export)\b[^'"]*?['"](\.[^'"]+)['"]/gm

function readArrows(root = ROOT): Arrow[] {
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.ts'),
  )
  return files.flatMap((file) => {
    const source = readFileSync(join(root, file), 'utf8')
    return [...source.matchAll(IMPORT)].map(([, path = '']) => {
      const target = relative(ROOT, join(dirname(join(root, file)), path))
      return { file, from: folderOf(file), to: folderOf(target), target }
    })
  })
}

const STATIC = /^(?:import|export)\s+(?!type\b)([^'"]*?)\s*from\s+'([^']+)'/gm

/** Of types alone, nothing is left when it runs. */
const isOfValues = (names: string): boolean =>
  !names.startsWith('{') ||
  names
    .replace(/[{}\n]/g, '')
    .split(',')
    .some((name) => name.trim() !== '' && !name.trim().startsWith('type '))

/** Files and packages that are loaded with this file, itself included, as paths within the folder of the sources. */
function loadedWith(file: string, loaded = new Set<string>()): ReadonlySet<string> {
  if (loaded.has(file)) return loaded
  loaded.add(file)
  if (!file.endsWith('.ts')) return loaded
  for (const [, names = '', path = ''] of readFileSync(join(ROOT, file), 'utf8').matchAll(STATIC)) {
    if (isOfValues(names)) loadedWith(path.startsWith('.') ? join(dirname(file), path) : path, loaded)
  }
  return loaded
}

/** The top folder of a file, or `''` for the files that stand above all folders. */
const folderOf = (file: string): string => (file.includes('/') ? (file.split('/')[0] ?? '') : '')

describe('imports', () => {
  const arrows = readArrows()

  it('are found at all', () => {
    expect(arrows.length).toBeGreaterThan(50)
  })

  it('point one way between folders', () => {
    const wrong = arrows.filter(({ from, to }) => from !== '' && from !== to && !ALLOWED[from]?.includes(to))
    expect(wrong.map(({ file, target }) => `${file} must not import ${target}`)).toEqual([])
  })

  it('join storage and Durable Objects to the rest where the gateway is composed, and in admin', () => {
    const joined = arrows.filter(({ from, to }) => from === '' && (to === 'storage' || to === 'durable'))
    expect([...new Set(joined.map(({ file }) => file))]).toEqual([
      'compose.ts',
      'index.ts',
      'realm.ts',
      'stores.ts',
    ])
  })

  it('lead from the command line to what describes the gateway alone', () => {
    const targets = readArrows(join(ROOT, '../cli')).map(({ target }) => target)
    const taken = [...new Set(targets)].filter((target) => !target.startsWith('../cli/')).toSorted()
    expect(taken).toEqual([
      'admin/api/operations.ts',
      'admin/api/service.ts',
      'admin/client.ts',
      'protocol/version.ts',
      'registry/name.ts',
    ])
  })

  it('load nothing of the management API with the gateway, nor what it is made of', () => {
    const loaded = loadedWith('index.ts')
    expect(loaded).toContain('flow.ts')
    expect(loadedWith('routes.ts')).toContain('zod')
    for (const each of ['zod', 'hono', 'routes.ts', 'admin/routes.ts', 'admin/body.ts'])
      expect(loaded).not.toContain(each)
  })

  it('name every folder of src', () => {
    const folders = readdirSync(ROOT, { withFileTypes: true }).filter((entry) => entry.isDirectory())
    expect(folders.map(({ name }) => name).filter((name) => !(name in ALLOWED))).toEqual([])
  })
})
