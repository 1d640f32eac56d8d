/** What `npm run bench:profile` makes of a profile: whose time it was, per answer, and where it was written. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import {
  attribute,
  type Frame,
  type Profile,
  type ProfileNode,
  usOf,
} from '../../../bench/profile/attribution.ts'
import { readOptions } from '../../../bench/profile/options.ts'
import { readSource } from '../../../bench/profile/source.ts'
import { writeProfile } from '../../../bench/profile/table.ts'

const frame = (functionName: string, url = '', lineNumber = -1): Frame => ({
  functionName,
  url,
  lineNumber,
  columnNumber: 2,
})

const node = (id: number, callFrame: Frame, ...children: readonly number[]): ProfileNode => ({
  id,
  callFrame,
  children,
})

const ownFrame = (name: string, line: number): Frame => frame(name, 'index.js', line)
const isOwn = ({ url }: Frame): boolean => url === 'index.js'

/**
 * root → (idle), (program), (garbage collector), answer → [fetch → Headers, (garbage collector), send → fetch],
 * close → answer.
 */
const NODES = [
  node(1, frame('(root)'), 2, 3, 4, 5, 11),
  node(2, frame('(idle)')),
  node(3, frame('(program)')),
  node(4, frame('(garbage collector)')),
  node(5, ownFrame('answer', 10), 6, 8, 9),
  node(6, frame('fetch'), 7),
  node(7, frame('Headers')),
  node(8, frame('(garbage collector)')),
  node(9, ownFrame('send', 20), 10),
  node(10, frame('fetch')),
  node(11, frame('close', 'node-internal:any'), 12),
  node(12, ownFrame('answer', 10)),
]

const profileOf = (timesUs: Readonly<Record<number, number>>): Profile => ({
  nodes: NODES,
  samples: Object.keys(timesUs).map(Number),
  timeDeltas: Object.values(timesUs),
})

const attributionOf = (timesUs: Readonly<Record<number, number>>) => attribute(profileOf(timesUs), isOwn)

describe('the time', () => {
  it('of a native function belongs to the nearest function of the bundle that led to it', () => {
    const { costs, apart } = attributionOf({ 5: 100, 6: 20, 7: 3, 9: 40, 10: 500 })
    expect(costs).toEqual([
      { frame: ownFrame('send', 20), ownUs: 40, natives: [{ name: 'fetch', us: 500 }] },
      {
        frame: ownFrame('answer', 10),
        ownUs: 100,
        natives: [
          { name: 'fetch', us: 20 },
          { name: 'Headers', us: 3 },
        ],
      },
    ])
    expect(costs.map(usOf)).toEqual([540, 123])
    expect(apart).toEqual([])
  })

  it('of a function that several ways lead to is told once', () => {
    expect(attributionOf({ 5: 100, 12: 11 }).costs.map(usOf)).toEqual([111])
  })

  it('of two functions of one name is told apart', () => {
    const nodes = [node(1, frame('(root)'), 2, 3), node(2, ownFrame('', 1)), node(3, ownFrame('', 2))]
    const { costs } = attribute({ nodes, samples: [2, 3], timeDeltas: [1, 2] }, isOwn)
    expect(costs.map(usOf)).toEqual([2, 1])
  })

  it('of the collector, of waiting and of what nobody asked for is nobody’s', () => {
    const { costs, apart } = attributionOf({ 2: 9_000, 3: 300, 4: 50, 8: 6, 11: 70 })
    expect(costs).toEqual([])
    expect(apart).toEqual([
      { name: '(idle)', us: 9_000 },
      { name: '(program)', us: 300 },
      { name: 'close', us: 70 },
      { name: '(garbage collector)', us: 56 },
    ])
  })

  it('is the sum over all samples of a node', () => {
    const profile = { nodes: NODES, samples: [9, 5, 9], timeDeltas: [1, 20, 300] }
    expect(attribute(profile, isOwn).costs.map(usOf)).toEqual([301, 20])
  })
})

describe('the table', () => {
  const placeOf = ({ lineNumber }: Frame): string => `src/any.ts:${lineNumber}`
  const attribution = attributionOf({ 3: 30, 5: 100, 6: 20, 7: 0.4, 9: 40, 10: 500 })

  it('tells µs per answer, what the engine did for each function beside it, and what is apart', () => {
    const text = writeProfile(attribution, 10, 5, placeOf)
    expect(text).toContain('| send       | src/any.ts:20 | 54.0 | 4.0  | fetch 50.0 ')
    expect(text).toContain('| answer     | src/any.ts:10 | 12.0 | 10.0 | fetch 2.0 ')
    expect(text).toContain('| the bundle |               | 66.0 | 14.0 |')
    expect(text).toContain('| (program) | 3.0 |')
    // Too little to be told.
    expect(text).not.toContain('Headers')
  })

  it('sums up what is below its end', () => {
    const text = writeProfile(attribution, 10, 1, placeOf)
    expect(text).toContain('| 1 others   |               | 12.0 |')
    expect(text).not.toContain('src/any.ts:10')
  })
})

describe('a function of the bundle', () => {
  const made: string[] = []
  afterAll(() => Promise.all(made.map((directory) => rm(directory, { recursive: true }))))

  it('is where it was written, and what stands in no map is where it stands', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'switchyard-test-'))
    made.push(directory)
    const src = join(import.meta.dirname, '../../../src/app.ts')
    // The third column of the second line comes from the first column of line 5 of the first source.
    const map = {
      version: 3,
      sources: [src, '../node_modules/zod/core.js'],
      names: [],
      mappings: ';EAIA;ECAA',
    }
    await writeFile(join(directory, 'index.js.map'), JSON.stringify(map))
    const source = await readSource(directory)
    expect(source.placeOf(ownFrame('any', 1))).toBe('src/app.ts:5')
    expect(source.placeOf(ownFrame('any', 2))).toBe('zod/core.js:5')
    expect(source.placeOf(ownFrame('any', 0))).toBe('line 1 of the bundle')
    expect(
      ['index.js', '', 'entry.js', 'node-internal:index'].map((url) => source.has(frame('any', url))),
    ).toEqual([true, false, false, false])
  })
})

describe('the options', () => {
  it('have defaults, and can all be said', () => {
    expect(readOptions([])).toMatchObject({
      service: 'plain',
      services: 1,
      lanes: 16,
      isModern: false,
      out: undefined,
    })
    const said =
      '--service stream --services 3 --lanes 4 --arguments 1000 --answer 2000 --era modern --seconds 2 --top 9'
    expect(readOptions([...said.split(' '), '--out', 'any.cpuprofile'])).toEqual({
      service: 'stream',
      services: 3,
      lanes: 4,
      argumentBytes: 1_000,
      answerBytes: 2_000,
      isModern: true,
      seconds: 2,
      top: 9,
      out: 'any.cpuprofile',
    })
  })

  it.each([
    ['--service any', "--service must be one of plain, stream, session, limited, not 'any'."],
    ['--service toString', "--service must be one of plain, stream, session, limited, not 'toString'."],
    ['--era any', "--era must be one of legacy, modern, not 'any'."],
    ['--lanes 0', "--lanes must be a whole number from 1, not '0'."],
    ['--answer 1e3', "--answer must be a whole number from 0, not '1e3'."],
  ])('name what they do not take: %s', (said, told) => {
    expect(() => readOptions(said.split(' '))).toThrow(told)
  })
})
