/**
 * Puts the files of the API's pages where `wrangler.toml` has the Worker find them: those of the libraries, with their
 * licences, and our own of `pages/`. Wrangler runs it before every build.
 */
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { filesOf, LIBRARIES, libraryPath, OWN_FILES, ownPath, REDOC } from '../src/admin/assets.ts'

const ROOT = join(import.meta.dirname, '..')
/** As wrangler.toml names it. */
const DIRECTORY = join(ROOT, 'dist/public')
const require = createRequire(import.meta.url)

export async function writeAssets(): Promise<void> {
  const own = OWN_FILES.map((file) => ({ path: ownPath(file), source: join(ROOT, 'pages', file) }))
  const brought = LIBRARIES.flatMap((library) => {
    const directory = dirname(require.resolve(`${library.name}/package.json`))
    return filesOf(library).map((file) => ({
      path: libraryPath(library, file),
      source: join(directory, file),
    }))
  })
  await Promise.all([...own, ...brought].map(({ path, source }) => put(source, join(DIRECTORY, path))))
}

/** Whole or not at all: somebody else may be reading it. Left alone where it is right already. */
async function put(source: string, target: string): Promise<void> {
  const text = withoutPicture(await readFile(source, 'utf8'), source)
  if ((await readFile(target, 'utf8').catch(() => undefined)) === text) return
  const unfinished = `${target}.${process.pid}`
  await mkdir(dirname(target), { recursive: true })
  await writeFile(unfinished, text)
  await rename(unfinished, target)
}

/** Redoc fetches one picture from its maker, which no option prevents. Without it its line of text stands alone. */
function withoutPicture(text: string, source: string): string {
  if (!source.endsWith(REDOC.script)) return text
  const parts = text.split('"https://cdn.redoc.ly/redoc/logo-mini.svg"')
  if (parts.length !== 2)
    throw new Error(`${source} does not name its picture once: look what it fetches now.`)
  return parts.join('"data:,"')
}

if (import.meta.main) await writeAssets()
