/**
 * A fresh database from a kept image. Running initdb in WebAssembly takes 1.2 to 3.5 s, loading
 * an image of its result 0.3 s. The image lies in `node_modules/.cache` and is named after
 * everything that shapes it, so a new PGlite makes a new one.
 */
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { PGlite } from '@electric-sql/pglite'

// Segments of 1 MB instead of 16: a smaller image, and less to write on the first start.
const INITDB_OPTIONS = ['--wal-segsize=1']

const findImage = async (): Promise<string> => {
  const entry = createRequire(import.meta.url).resolve('@electric-sql/pglite')
  const root = join(dirname(entry), '..')
  const text = await readFile(join(root, 'package.json'), 'utf8')
  const version = /"version":\s*"([\w.+-]+)"/.exec(text)?.[1] ?? 'unknown'
  return join(root, '..', '..', '.cache', 'switchyard', `pglite-${version}${INITDB_OPTIONS.join('')}.tar`)
}

const at = (directory: string | undefined) => (directory === undefined ? {} : { dataDir: directory })

const keepImage = async (db: PGlite, image: string): Promise<void> => {
  const dump = await db.dumpDataDir('none')
  const draft = `${image}.${process.pid}`
  await mkdir(dirname(image), { recursive: true })
  await writeFile(draft, Buffer.from(await dump.arrayBuffer()))
  // Renamed when whole: a test file that starts meanwhile reads the old image, a whole one, or none.
  await rename(draft, image)
}

/**
 * Creates a new database in `directory` (must not exist) or in memory when undefined.
 * Without a readable image, or a place to keep one, it takes the slow way and says nothing.
 */
export const createFromTemplate = async (directory?: string): Promise<PGlite> => {
  const image = await findImage()
  const bytes = await readFile(image).catch(() => undefined)
  if (bytes) {
    try {
      return await PGlite.create({ ...at(directory), loadDataDir: new Blob([bytes]) })
    } catch {
      await rm(image, { force: true })
      if (directory !== undefined) await rm(directory, { recursive: true, force: true })
    }
  }
  const db = await PGlite.create({ ...at(directory), initDbStartParams: INITDB_OPTIONS })
  await keepImage(db, image).catch(() => undefined)
  return db
}
