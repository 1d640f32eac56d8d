/** S21: who may use which tool. The rules against their definition, on everything that rules can say. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { PermissionRule } from '../../../src/registry/image.ts'
import { Permissions, type ToolNames } from '../../../src/registry/permission.ts'

const search: ToolNames = { service: 'web', names: ['search', 'web__search'] }
const TOOLS = ['search', 'web__search', 'fetch', 'web/*', 'files/*', '*']
const AGENTS = ['coder', 'reviewer', '*']

const rule = fc.record({
  agentType: fc.constantFrom(...AGENTS),
  tool: fc.constantFrom(...TOOLS),
  isAllowed: fc.boolean(),
})
const rules = fc.array(rule, { maxLength: 10 })

const says = (text: string): PermissionRule => {
  const [word, agentType = '', tool = ''] = text.split(' ')
  return { agentType, tool, isAllowed: word === 'allow' }
}
const allows = (agentType: string | undefined, ...texts: readonly string[]): boolean =>
  new Permissions(texts.map(says), agentType).allows(search)

/** The definition, word by word: no rule that concerns the call and is denied may go unbeaten. */
function byDefinition(all: readonly PermissionRule[], agentType: string): boolean {
  const toolRank = (tool: string): number =>
    search.names.includes(tool) ? 2 : tool === 'web/*' ? 1 : tool === '*' ? 0 : -1
  const agentRank = (kind: string): number => (kind === agentType ? 1 : kind === '*' ? 0 : -1)
  const concerning = all
    .map(({ agentType: kind, tool, isAllowed }) => ({
      agent: agentRank(kind),
      tool: toolRank(tool),
      isAllowed,
    }))
    .filter(({ agent, tool }) => agent >= 0 && tool >= 0)
  const unbeaten = concerning.filter(
    (one) =>
      !concerning.some(
        (other) =>
          other.agent >= one.agent &&
          other.tool >= one.tool &&
          (other.agent > one.agent || other.tool > one.tool),
      ),
  )
  return unbeaten.every(({ isAllowed }) => isAllowed)
}

describe('permissions', () => {
  it('S21 let a call go exactly where no unbeaten rule denies it, in whatever order they come', () => {
    fc.assert(
      fc.property(rules, fc.constantFrom('coder', 'stranger'), fc.integer(), (all, agentType, seed) => {
        const shuffled = all.toSorted((a, b) => order(a, seed) - order(b, seed))
        const expected = byDefinition(all, agentType)
        expect(new Permissions(all, agentType).allows(search)).toBe(expected)
        expect(new Permissions(shuffled, agentType).allows(search)).toBe(expected)
      }),
    )
  })

  it('allow what no rule concerns', () => {
    expect(allows('coder')).toBe(true)
    expect(allows('coder', 'deny reviewer *', 'deny * files/*', 'deny coder fetch')).toBe(true)
  })

  it('let the closer name of the tool win: itself, its service, everything', () => {
    expect(allows('coder', 'deny * *', 'allow * web/*')).toBe(true)
    expect(allows('coder', 'deny * web/*', 'allow * search')).toBe(true)
    expect(allows('coder', 'allow * web/*', 'deny * search')).toBe(false)
  })

  it('let the closer name of the caller win', () => {
    expect(allows('coder', 'deny * search', 'allow coder search')).toBe(true)
    expect(allows('reviewer', 'deny * search', 'allow coder search')).toBe(false)
  })

  it('deny where one rule names the caller more closely and the other the tool', () => {
    expect(allows('coder', 'allow coder *', 'deny * search')).toBe(false)
    expect(allows('coder', 'deny coder *', 'allow * search')).toBe(false)
    expect(allows('coder', 'allow coder web/*', 'allow * search', 'deny * *')).toBe(true)
  })

  it('S38 concern a tool under every name that leads to it, and deny wins between its names', () => {
    expect(allows('coder', 'deny coder web__search')).toBe(false)
    expect(allows('coder', 'deny coder web__search', 'allow coder search')).toBe(false)
  })

  it('are those for everybody where a credential names no agent type, or calls itself everybody', () => {
    for (const agentType of [undefined, '*']) {
      expect(allows(agentType, 'deny * search')).toBe(false)
      expect(allows(agentType, 'deny coder search')).toBe(true)
      expect(allows(agentType, 'deny * search', 'allow * search')).toBe(false)
    }
  })
})

const order = ({ agentType, tool, isAllowed }: PermissionRule, seed: number): number =>
  (agentType.length * 7 + tool.length * 13 + (isAllowed ? 5 : 0)) * (seed % 17)
