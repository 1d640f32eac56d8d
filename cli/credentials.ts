/**
 * What `login` keeps: a credential for each gateway, in a file that its owner alone can read. One is only ever given
 * for the gateway that it was stored for.
 */
import { randomUUID } from 'node:crypto'
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import * as z from 'zod'
import { Failure } from './failure.ts'

const credential = z.union([
  z.strictObject({ apiKey: z.string().min(1) }),
  z.strictObject({
    token: z.string().min(1),
    expiresAt: z.string().optional(),
    username: z.string().optional(),
  }),
])
const stored = z.strictObject({
  /** The gateway that is meant where none is named. */
  url: z.string().optional(),
  gateways: z.record(z.string(), credential),
})

export type Credential = z.infer<typeof credential>
export type Stored = z.infer<typeof stored>

const NOTHING: Stored = { gateways: {} }

type Environment = Readonly<Record<string, string | undefined>>

export function credentialFile(env: Environment): string {
  const named = env['XDG_CONFIG_HOME']
  const directory = named !== undefined && named.startsWith('/') ? named : join(homedir(), '.config')
  return join(directory, 'switchyard', 'credentials.json')
}

export async function readCredentials(file: string): Promise<Stored> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw new Failure(`${file} cannot be read (${error.code ?? error.message}).`)
  })
  if (text === undefined) return NOTHING
  const parsed = stored.safeParse(parse(text))
  if (parsed.success) return parsed.data
  throw new Failure(`${file} holds no credentials. Delete it and run: switchyard login`)
}

/** At once or not at all, so that a crash leaves the file as it was. */
export async function writeCredentials(file: string, credentials: Stored): Promise<void> {
  const draft = `${file}.${randomUUID()}`
  try {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 })
    await writeFile(draft, `${JSON.stringify(credentials, undefined, 2)}\n`, { mode: 0o600, flag: 'wx' })
    await rename(draft, file)
  } catch (error) {
    await rm(draft, { force: true })
    throw new Failure(`${file} cannot be written: ${error instanceof Error ? error.message : String(error)}`)
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
