/** Prompts and completion in every cell. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { cells, IN_CELL, type Matrix, publicName, publicUri, startMatrix } from '../support/cell.ts'
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

  it('lists prompts with their arguments', async () => {
    const greetings = (await client.prompts()).filter(({ title }) => title === 'Greet')
    expect(greetings).toHaveLength(cell.at === 'all' ? 2 : 1)
    expect(greetings[0]).toMatchObject({ arguments: [{ name: 'word', required: true }] })
  })

  it('gets a prompt', async () => {
    const { messages } = await client.prompt(publicName(cell, 'greet'), { word: 'you' })
    expect(messages).toEqual([{ role: 'user', content: { type: 'text', text: 'Hello you' } }])
  })

  it('B106 refuses a prompt that nobody has', async () => {
    await expect(client.prompt('nobody-has-this')).rejects.toMatchObject({
      code: -32602,
      message: expect.stringContaining('Unknown prompt: nobody-has-this'),
    })
  })

  it('completes the argument of a prompt', async () => {
    const ref = { type: 'ref/prompt', name: publicName(cell, 'greet') }
    expect(await client.complete(ref, 'b')).toEqual(['beta'])
  })

  it('completes the variable of a template', async () => {
    const ref = { type: 'ref/resource', uri: publicUri(cell, 'of/{word}') }
    expect(await client.complete(ref, 'ga')).toEqual(['gamma'])
  })
})
