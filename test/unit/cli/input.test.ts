/** What the program reads: JSON of people, references, configurations of clients. */
import { describe, expect, it } from 'vitest'
import { readClientConfig } from '../../../cli/imported.ts'
import { parseJson } from '../../../cli/json.ts'
import { isReference, resolveReferences } from '../../../cli/reference.ts'

describe('JSON of people', () => {
  it('may hold comments and trailing commas, and texts that look like them', () => {
    const text = '{ // one\n "a": "// not one", /* two\n lines */ "b": [1, 2, /* x */ ], "c": "\\",}" , }'
    expect(parseJson(text, 'a file')).toEqual({ a: '// not one', b: [1, 2], c: '",}' })
  })

  it('names the place of its fault, and nothing of the text', () => {
    const fault = 'a file is not valid JSON (line 3, column 3).'
    expect(() => parseJson('{\n // secret\n  nope }', 'a file')).toThrow(fault)
    expect(() => parseJson('sy_secret', 'stdin')).toThrow('stdin is not valid JSON')
  })
})

describe('references', () => {
  const env = { A: 'a', EMPTY: '' }

  it('are put in wherever they stand, and what is not set is named with its place', () => {
    const given = { x: ['${A}-${EMPTY}', { y: 'Bearer ${B}' }], z: 1, n: null }
    expect(resolveReferences(given, env)).toEqual({
      value: { x: ['a-', { y: 'Bearer ${B}' }], z: 1, n: null },
      missing: [{ path: ['x', '1', 'y'], name: 'B' }],
    })
  })

  it('stay where they are to be kept', () => {
    const kept = resolveReferences({ auth: '${A}', url: '${A}' }, env, ([first]) => first === 'auth')
    expect(kept).toEqual({ value: { auth: '${A}', url: 'a' }, missing: [] })
  })

  it('are told from secrets', () => {
    const texts = ['${A}', 'Bearer ${A}', 'x${A}', '${A}x', 'plain', '$A', '${}']
    expect(texts.filter(isReference)).toEqual(['${A}', 'Bearer ${A}'])
  })
})

describe('the configuration of a client', () => {
  const env = { TOKEN: 't', SOME_KEY: 'k' }
  const read = (servers: object, rest: object = {}) => readClientConfig({ mcpServers: servers, ...rest }, env)

  it('is known by its shape, whoever wrote it', () => {
    const entry = { url: 'https://a.example/mcp' }
    for (const config of [
      { mcpServers: { a: entry } },
      { servers: { a: entry } },
      { mcp: { servers: { a: entry } } },
    ])
      expect(readClientConfig(config, env)?.[0]?.service).toEqual({ name: 'a', ...entry })
    for (const config of [{}, [], null, 'x', { mcpServers: [] }])
      expect(readClientConfig(config, env)).toBeUndefined()
  })

  it.each([
    [
      'Cursor',
      { url: 'u', headers: { authorization: 'bearer ${env:TOKEN}' } },
      { type: 'bearer', token: 't' },
    ],
    [
      'Claude Code',
      { type: 'http', url: 'u', headers: { Authorization: 'Bearer ${NONE:-d}' } },
      { type: 'bearer', token: 'd' },
    ],
    [
      'VS Code',
      { type: 'http', url: 'u', headers: { 'X-API-Key': '${input:some-key}' } },
      { type: 'api-key', apiKey: 'k', header: 'X-API-Key' },
    ],
    [
      'Windsurf',
      { serverUrl: 'u', headers: { Authorization: 'Basic eA==' } },
      { type: 'api-key', apiKey: 'Basic eA==', header: 'Authorization' },
    ],
    [
      'Gemini CLI',
      { httpUrl: 'u', headers: { 'X-Private-Token': 'x' } },
      { type: 'api-key', apiKey: 'x', header: 'X-Private-Token' },
    ],
    [
      'Claude Desktop',
      {
        command: 'npx',
        args: ['-y', 'mcp-remote', 'u', '--header', 'Authorization:${AUTH}'],
        env: { AUTH: 'Bearer t' },
      },
      { type: 'bearer', token: 't' },
    ],
  ])('gives %s a credential', (_, entry, auth) => {
    expect(read({ a: entry })?.[0]?.service).toEqual({ name: 'a', url: 'u', auth })
  })

  it('keeps other headers and the older transport', () => {
    const entry = { type: 'sse', url: 'u', headers: { 'X-Team': 'a', Authorization: 'Bearer x' } }
    expect(read({ a: entry })?.[0]?.service).toMatchObject({ transport: 'sse', headers: { 'X-Team': 'a' } })
  })

  it('names what cannot be registered, and why', () => {
    const servers = {
      a: { command: 'uvx', args: ['x'] },
      b: { url: '${HOST}' },
      c: {},
      d: 1,
      e: { url: 'u', disabled: true },
    }
    expect(read(servers)?.map(({ service, note }) => [service, note?.split(';')[0]])).toEqual([
      [undefined, "is started by 'uvx'"],
      [undefined, 'needs HOST in the environment'],
      [undefined, 'has no url'],
      [undefined, 'is no object'],
      [undefined, 'is disabled there'],
    ])
  })

  it('finds for each server a name of its own that a service can have', () => {
    const entry = { url: 'u' }
    const names = ['My Notes!', 'my_notes', 'health', '...', 'x'.repeat(40), `${'x'.repeat(40)}y`]
    const read = readClientConfig({ servers: Object.fromEntries(names.map((name) => [name, entry])) }, env)
    expect(read?.map(({ name }) => name)).toEqual([
      'my-notes',
      'my-notes-2',
      'health-mcp',
      'service',
      'x'.repeat(32),
      `${'x'.repeat(29)}-2`,
    ])
  })
})
