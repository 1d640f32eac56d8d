/** What an upstream says while it works, in every cell: progress, and log messages of the level that was asked for. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Cell, cells, IN_CELL, type Matrix, publicName, startMatrix } from '../support/cell.ts'
import type { SdkClient } from '../support/sdk-client.ts'

let matrix: Matrix
beforeAll(async () => {
  matrix = await startMatrix()
})
afterAll(() => matrix.close())

const logger = ({ at, upstream }: Cell): string => (at === 'all' ? `${upstream}/engine` : 'engine')

describe.each(cells)(IN_CELL, (cell) => {
  let client: SdkClient
  beforeAll(async () => {
    client = await matrix.connect(cell)
  })

  it('reports the progress of a call to whoever made it, in order and before the result', async () => {
    const told: unknown[] = []
    const onprogress = (progress: unknown): void => void told.push(progress)
    const result = await client.call(publicName(cell, 'progress'), { steps: 3 }, { onprogress })
    expect(result.content[0].text).toBe('done')
    expect(told).toEqual([1, 2, 3].map((step) => ({ progress: step, total: 3, message: `step ${step}` })))
  })

  it('reports progress of calls that run at the same time each to its own', async () => {
    const steps = [1, 2, 3, 4, 5]
    const told = await Promise.all(
      steps.map(async (total) => {
        const totals: number[] = []
        const onprogress = (progress: { total: number }): void => void totals.push(progress.total)
        await client.call(publicName(cell, 'progress'), { steps: total }, { onprogress })
        return totals
      }),
    )
    expect(told).toEqual(steps.map((total) => Array.from({ length: total }, () => total)))
  })

  it.each([
    ['debug', ['debug', 'warning', 'error']],
    ['warning', ['warning', 'error']],
    ['emergency', []],
  ])('passes log messages from the level %s on', async (logLevel, levels) => {
    const own = await matrix.connect(cell)
    const result = await own.call(publicName(cell, 'log'), {}, { logLevel })
    expect(result.content[0].text).toBe('logged')
    expect(own.heard.map(({ method, params }) => [method, params.level, params.logger, params.data])).toEqual(
      levels.map((level) => ['notifications/message', level, logger(cell), { said: level }]),
    )
  })

  it('follows a level that changes between calls', async () => {
    const own = await matrix.connect(cell)
    await own.call(publicName(cell, 'log'), {}, { logLevel: 'error' })
    expect(own.heard).toHaveLength(1)
    await own.call(publicName(cell, 'log'), {}, { logLevel: 'warning' })
    expect(own.heard).toHaveLength(3)
  })
})
