/** What a laptop's Switchyard keeps between runs: `.local/`, with secrets that only its owner may read. */
import { randomBytes } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

const DEFAULT_DIRECTORY = join(import.meta.dirname, '../.local')

export type Secrets = { readonly ENCRYPTION_KEY: string; readonly JWT_SECRET: string }

/** `SWITCHYARD_STATE_DIR` puts it elsewhere. */
export async function openState(env: Readonly<Record<string, string | undefined>>): Promise<string> {
  const directory = env['SWITCHYARD_STATE_DIR'] ?? DEFAULT_DIRECTORY
  await mkdir(directory, { recursive: true, mode: 0o700 })
  return directory
}

/** The secrets of this laptop, made on the first run. A damaged file is an error, not a reason for new secrets. */
export async function readSecrets(directory: string): Promise<Secrets> {
  const file = join(directory, 'secrets.json')
  const text = await readFile(file, 'utf8').catch(() => undefined)
  if (text === undefined) {
    const fresh = {
      ENCRYPTION_KEY: randomBytes(32).toString('base64'),
      JWT_SECRET: randomBytes(32).toString('base64'),
    }
    await writeFile(file, JSON.stringify(fresh, null, 2), { mode: 0o600, flag: 'wx' })
    return fresh
  }
  return parseSecrets(text, file)
}

function parseSecrets(text: string, file: string): Secrets {
  try {
    const { ENCRYPTION_KEY, JWT_SECRET } = JSON.parse(text)
    if (typeof ENCRYPTION_KEY === 'string' && typeof JWT_SECRET === 'string')
      return { ENCRYPTION_KEY, JWT_SECRET }
  } catch {
    // Said below, in one sentence for both.
  }
  throw new Error(`${file} is damaged. Restore it, or remove it and register services with credentials anew.`)
}
