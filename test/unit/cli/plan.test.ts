/** Steps from what a gateway is to what a file says. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Actual } from '../../../cli/file/actual.ts'
import { diffOf, summaryOf } from '../../../cli/file/diff.ts'
import { planOf, requireSecrets, sectionsOf } from '../../../cli/file/plan.ts'
import { readGatewayFile } from '../../../cli/file/read.ts'
import { describeGatewayFile } from '../../../cli/file/shape.ts'

const NOTHING: Actual = {
  services: new Map(),
  tools: new Map(),
  toolsets: new Map(),
  permissions: { rules: new Map(), etag: '*' },
  users: new Map(),
}
const row = {
  id: '00000000-0000-4000-8000-000000000001',
  name: 'a',
  url: 'https://a.example/mcp',
  status: 'connected' as const,
  isEnabled: true,
  hasCredential: true,
  headers: { 'X-Team': '[secret]' },
  instances: [],
  toolCount: 0,
  tools: [],
  createdAt: '2026-11-21T12:00:00Z',
  updatedAt: '2026-11-21T12:00:00Z',
}
const known: Actual = { ...NOTHING, services: new Map([['a', { row, etag: '"1"' }]]) }

const plan = (
  given: object,
  actual: Actual,
  options: { isPruning?: boolean; resetsSecrets?: boolean } = {},
) =>
  planOf(readGatewayFile(given, 'a file', {}), actual, {
    env: {},
    isPruning: false,
    resetsSecrets: false,
    ...options,
  })
const names = (steps: ReturnType<typeof plan>) => steps.map(({ action, what }) => `${action} ${what}`)
const fields = (steps: ReturnType<typeof plan>) =>
  steps.flatMap((step) => step.differences.map(({ field }) => field))

const secret = { auth: { type: 'bearer', token: '${TOKEN}' }, headers: { 'X-Team': '${TEAM}' } }

describe('a plan', () => {
  it('is empty where the gateway is as the file says', () => {
    const steps = plan({ services: [{ name: 'a', url: 'https://A.example', ...secret }] }, known)
    expect([steps, summaryOf(steps)]).toEqual([[], 'Nothing to do: the gateway is as the file says.'])
  })

  it('leaves alone what the file does not name: fields, things and sections', () => {
    expect(plan({ services: [{ name: 'a', url: row.url }] }, known)).toEqual([])
    expect(plan({ services: [] }, known)).toEqual([])
    expect(plan({ toolsets: [] }, known, { isPruning: true })).toEqual([])
    expect(sectionsOf({ toolsets: [] })).toEqual(['toolsets'])
  })

  it('removes only where it is asked to', () => {
    expect(names(plan({ services: [] }, known, { isPruning: true }))).toEqual(['remove service a'])
  })

  it('compares whether there is a credential and which headers there are, and sets them again when asked', () => {
    const url = row.url
    expect(fields(plan({ services: [{ name: 'a', url, auth: { type: 'none' } }] }, known))).toEqual(['auth'])
    expect(fields(plan({ services: [{ name: 'a', url, headers: { Other: 'x' } }] }, known))).toEqual([
      'headers',
    ])
    const again = plan({ services: [{ name: 'a', url, ...secret }] }, known, { resetsSecrets: true })
    expect(fields(again)).toEqual(['auth', 'headers'])
    expect(() => requireSecrets(again)).toThrow('TOKEN is not set in the environment')
  })

  it('shows no secret', () => {
    const auth = { type: 'api-key', apiKey: 'in-the-file' }
    const steps = plan(
      { services: [{ name: 'new', url: 'https://b.example', auth, headers: { Key: 'in-the-file' } }] },
      known,
    )
    expect(JSON.stringify([steps, diffOf(steps)])).not.toContain('in-the-file')
  })

  it('sets rules before what they are about, and takes them away after it', () => {
    const rule = { agentType: 'x', tool: 'a/*', allowed: false }
    const file = {
      services: [{ name: 'b', url: 'https://b.example' }],
      permissions: [{ ...rule, agentType: 'y' }],
    }
    const actual = { ...known, permissions: { rules: new Map([['x a/*', rule]]), etag: '"1"' } }
    expect(names(plan(file, actual, { isPruning: true }))).toEqual([
      'change permissions',
      'create service b',
      'remove service a',
      'remove permission x a/*',
    ])
  })

  it('knows a setting of a tool that is taken away, and clears what the file does not name', () => {
    const tools = new Map([
      ['a/t', { service: 'a', tool: 't', settings: { alias: 'x', isEnabled: false }, etag: '"1"' }],
      ['a/u', { service: 'a', tool: 'u', settings: {}, etag: '*' }],
    ])
    const actual = { ...known, tools }
    expect(plan({ tools: [{ service: 'a', tool: 'u', alias: null, isEnabled: true }] }, actual)).toEqual([])
    const [step] = plan({ tools: [] }, actual, { isPruning: true })
    expect(step?.differences).toEqual([
      { field: 'alias', before: 'x', after: null },
      { field: 'isEnabled', before: false, after: true },
    ])
  })

  it('takes the description of a tool for set where its service says the same', () => {
    const tool = { service: 'a', tool: 't', settings: {}, description: 'said', etag: '*' }
    const actual = { ...known, tools: new Map([['a/t', tool]]) }
    const wanted = (description: string | null) => ({ tools: [{ service: 'a', tool: 't', description }] })
    expect(plan(wanted('said'), actual)).toEqual([])
    expect(plan(wanted(null), actual)).toEqual([])
    expect(fields(plan(wanted('other'), actual))).toEqual(['description'])
  })

  it('is read line by line', () => {
    const steps = plan({ services: [{ name: 'a', url: row.url, timeoutMs: 5, isEnabled: false }] }, known)
    expect(diffOf(steps).map(({ text }) => text)).toEqual([
      '~ service a',
      '    timeoutMs: (unset) → 5',
      '    isEnabled: true → false',
    ])
    expect(summaryOf(steps)).toBe('none to create, 1 to change, none to remove.')
  })
})

describe('switchyard.json', () => {
  it('names what is there twice', () => {
    const service = { name: 'a', url: 'https://a.example' }
    expect(() => readGatewayFile({ services: [service, service] }, 'f', {})).toThrow(
      "f: services.1: 'a' is there twice",
    )
  })

  it('has a schema for editors that is the one that is checked by', () => {
    const file = join(import.meta.dirname, '../../../switchyard.schema.json')
    expect(readFileSync(file, 'utf8')).toBe(describeGatewayFile())
  })
})
