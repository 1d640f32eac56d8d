/** The size of the Worker, and what its start takes before the first request: `wrangler check startup`. */
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { gzipSync } from 'node:zlib'
import type { Row } from '../row.ts'
import { median } from '../../statistics.ts'

const ROOT = join(import.meta.dirname, '../../..')
const GOAL_KIB = 250
const GOAL_MS = 50
const STARTS = 3

/** Chrome's format, as far as it is needed: which node was at work at each sample, and for how long. */
export type Profile = {
  readonly nodes: readonly { readonly id: number; readonly callFrame: { readonly functionName: string } }[]
  readonly samples: readonly number[]
  /** In µs. */
  readonly timeDeltas: readonly number[]
}

export const bundle: Row = {
  id: 'bundle',
  what: 'the bundle, and its start',
  isInQuick: false,
  async run({ ground }) {
    const source = await readFile(join(ground.bundleDirectory, 'index.js'))
    const starts: number[] = []
    for (let start = 0; start < STARTS; start++) starts.push(activeMs(await profileStart()))
    return [
      {
        what: 'bundle, gzip',
        value: gzipSync(source).length / 1_024,
        unit: 'KiB',
        better: 'less',
        goal: GOAL_KIB,
      },
      { what: 'CPU, start of the bundle', value: median(starts), unit: 'ms', better: 'less', goal: GOAL_MS },
    ]
  },
}

/** The time that was not spent waiting. */
export function activeMs({ nodes, samples, timeDeltas }: Profile): number {
  const idle = new Set(
    nodes.filter(({ callFrame }) => callFrame.functionName === '(idle)').map(({ id }) => id),
  )
  const activeUs = samples.reduce((sum, node, at) => sum + (idle.has(node) ? 0 : (timeDeltas[at] ?? 0)), 0)
  return activeUs / 1_000
}

async function profileStart(): Promise<Profile> {
  const directory = await mkdtemp(join(tmpdir(), 'switchyard-bench-'))
  const file = join(directory, 'start.cpuprofile')
  const { resolve } = createRequire(import.meta.url)
  const wrangler = join(dirname(resolve('wrangler/package.json')), 'bin/wrangler.js')
  const env = { ...process.env, WRANGLER_SEND_METRICS: 'false', WRANGLER_WRITE_LOGS: 'false', CI: '1' }
  try {
    await promisify(execFile)(process.execPath, [wrangler, 'check', 'startup', '--outfile', file], {
      cwd: ROOT,
      env,
    })
    return JSON.parse(await readFile(file, 'utf8'))
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}
