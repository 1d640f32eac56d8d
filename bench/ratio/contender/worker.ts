/** A script of a few lines on plain workerd, placed and configured as the gateway is. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type Preparation,
  prepareWorkerd,
  readConfig,
  startWorkerd,
  type WorkerdOptions,
} from '../../../local/workerd.ts'
import { childOf } from '../../process.ts'
import { type Contender, OWN } from './contender.ts'

export type Worker = { readonly contender: Contender; close(): Promise<void> }

type Bindings = Readonly<Record<string, string>>

export async function startWorker(name: string, script: string, bindings: Bindings): Promise<Worker> {
  const workerd = await withScript(script, bindings, startWorkerd)
  const contender = {
    name,
    url: `${workerd.url}/mcp`,
    headers: {},
    isGreeted: true,
    lagMs: 0,
    processes: { [OWN]: childOf(workerd.child.pid) },
  }
  return { contender, close: () => workerd.close() }
}

export const prepareWorker = (script: string, bindings: Bindings): Promise<Preparation> =>
  withScript(script, bindings, prepareWorkerd)

/** The script is read once; what follows needs its file no longer. */
async function withScript<T>(
  script: string,
  bindings: Bindings,
  use: (options: WorkerdOptions) => Promise<T>,
): Promise<T> {
  const bundleDirectory = await mkdtemp(join(tmpdir(), 'switchyard-bench-'))
  try {
    await writeFile(join(bundleDirectory, 'index.js'), script)
    const bare = { durable_objects: { bindings: [] }, migrations: [], triggers: {}, assets: undefined }
    const config = { ...readConfig(), ...bare }
    const local = { ...bindings, ALLOW_PRIVATE_UPSTREAMS: 'true' }
    return await use({ bundleDirectory, config, port: 0, bindings: local })
  } finally {
    await rm(bundleDirectory, { recursive: true, force: true })
  }
}
