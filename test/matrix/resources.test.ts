/** Resources and their templates in every cell: lists, text and bytes, what matches a template, what is unknown. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { cells, IN_CELL, type Matrix, publicUri, startMatrix } from '../support/cell.ts'
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
  const uri = (name: string): string => publicUri(cell, name)

  it('lists them under the URIs that they are read by', async () => {
    const listed = (await client.resources()).map((resource) => resource.uri)
    expect(listed).toEqual(expect.arrayContaining([uri('plain'), uri('bytes'), uri('interview')]))
    const other = publicUri({ ...cell, upstream: cell.upstream === 'legacy' ? 'modern' : 'legacy' }, 'plain')
    expect(listed.includes(other)).toBe(cell.at === 'all')
  })

  it('reads text', async () => {
    const { contents } = await client.read(uri('plain'))
    expect(contents).toEqual([{ uri: uri('plain'), mimeType: 'text/plain', text: 'a plain note' }])
  })

  it('reads bytes', async () => {
    const { contents } = await client.read(uri('bytes'))
    expect(contents).toEqual([{ uri: uri('bytes'), mimeType: 'application/octet-stream', blob: 'AAEC' }])
  })

  it('lists templates and reads what matches one', async () => {
    const templates = await client.templates()
    expect(templates.map(({ uriTemplate }) => uriTemplate)).toContain(uri('of/{word}'))
    const { contents } = await client.read(uri('of/owls'))
    expect(contents).toEqual([{ uri: uri('of/owls'), text: 'about owls' }])
  })

  it('B104 B105 refuses a resource that nobody has, in the words of its era', async () => {
    const refusal = await client.read('file:///etc/passwd').catch((error: unknown) => error)
    expect(refusal).toMatchObject({ message: expect.stringMatching(/not found/) })
    // Behind one service, the service itself refuses; both codes are used for it.
    const own = cell.client === 'legacy' ? -32002 : -32602
    expect(cell.at === 'all' ? [own] : [-32002, -32602]).toContain((refusal as { code: number }).code)
  })
})
