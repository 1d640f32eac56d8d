/** Tools in every cell: their list as the upstream wrote it, their results, and their failures. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { cells, IN_CELL, type Matrix, publicName, startMatrix } from '../support/cell.ts'
import type { SdkClient } from '../support/sdk-client.ts'

let matrix: Matrix
beforeAll(async () => {
  matrix = await startMatrix()
})
afterAll(() => matrix.close())

describe.each(cells)(IN_CELL, (cell) => {
  let client: SdkClient
  beforeAll(async () => {
    client = await matrix.connect(cell)
  })
  const name = (own: string): string => publicName(cell, own)

  it('lists the tools with title, schemas and all', async () => {
    const tools = await client.tools()
    const listed = tools.filter(({ title }) => title === 'Add')
    expect(listed).toHaveLength(cell.at === 'all' ? 2 : 1)
    expect(listed.at(cell.upstream === 'legacy' ? 0 : -1)).toMatchObject({
      inputSchema: { type: 'object', properties: { a: { type: 'number' } }, required: ['a', 'b'] },
      outputSchema: { type: 'object', properties: { sum: { type: 'number' } } },
    })
  })

  it('calls a tool once and gives its structured result', async () => {
    const { ledger } = matrix.upstream(cell)
    const before = ledger.done('add')
    const result = await client.call(name('add'), { a: 2, b: 3 })
    expect(result).toMatchObject({ content: [{ type: 'text', text: '5' }], structuredContent: { sum: 5 } })
    expect(ledger.done('add')).toBe(before + 1)
  })

  it('hands through what a tool says of its own failure', async () => {
    expect(await client.call(name('fail'))).toMatchObject({
      isError: true,
      content: [{ type: 'text', text: 'it failed' }],
    })
  })

  it('refuses arguments that the tool does not take, as its upstream does', async () => {
    const outcome = await client.call(name('add'), { a: 'two' }).catch((error: unknown) => error)
    expect(JSON.stringify(outcome) + String(outcome)).toMatch(/invalid/i)
  })

  it('refuses a tool that nobody has', async () => {
    await expect(client.call('nobody-has-this')).rejects.toMatchObject({
      code: -32602,
      message: expect.stringContaining('Unknown tool: nobody-has-this'),
    })
  })
})
