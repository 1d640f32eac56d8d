/**
 * One process per directory. Knows lock files and process ids; knows nothing of databases.
 */
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'

const held = new Set<string>()

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // EPERM: it lives, and belongs to someone else.
    return error instanceof Error && Reflect.get(error, 'code') === 'EPERM'
  }
}

const readOwner = async (lockFile: string): Promise<number | undefined> => {
  const pid = Number(await readFile(lockFile, 'utf8').catch(() => ''))
  // Our own id in a lock we do not hold: a killed process of a container, where ids repeat.
  return Number.isInteger(pid) && pid > 0 && pid !== process.pid && isAlive(pid) ? pid : undefined
}

/**
 * Takes `<directory>.lock` and gives the function that releases it.
 * Rejects, naming the process, when a live one holds it; the lock of a dead one is taken over.
 */
export const lockDirectory = async (directory: string): Promise<() => Promise<void>> => {
  const path = resolve(directory)
  const lockFile = `${path}.lock`
  if (held.has(path)) throw new Error(`${path} is already open in this process`)
  held.add(path)
  try {
    await mkdir(dirname(path), { recursive: true })
    const owner = await readOwner(lockFile)
    if (owner !== undefined) {
      throw new Error(`${path} is in use by process ${owner}; end it first, or choose another directory`)
    }
    await rm(lockFile, { force: true })
    await writeFile(lockFile, String(process.pid), { flag: 'wx' })
  } catch (error) {
    held.delete(path)
    throw error
  }
  return async () => {
    held.delete(path)
    await rm(lockFile, { force: true })
  }
}
