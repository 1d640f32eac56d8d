/** The runs of the suites for servers, and what they say of a server that conforms. */
import { expect } from 'vitest'
import { type Outcome, type Suite, told } from './suite.ts'

export type ServerRun = {
  readonly name: string
  readonly suite: Suite
  readonly args: readonly string[]
  /** How many scenarios the suite has: a new one must be noticed. */
  readonly scenarios: number
  /** How many checks the fixture passes, and how many it passes behind the gateway. */
  readonly passed: { readonly directly: number; readonly behindGateway: number }
}

/**
 * Behind the gateway more or less of a scenario applies. Lists are answered as JSON, so no streams of them are looked
 * at. The older suite agrees on 2025-11-25 and then names 2025-03-26 in a header: the gateway keeps to what the session
 * agreed on and marks its streams, the SDK of the fixture keeps to the header and does not.
 */
export const SERVER_RUNS: readonly ServerRun[] = [
  {
    name: '0.1.16, all',
    suite: 'conformance',
    args: ['--suite', 'all'],
    scenarios: 32,
    passed: { directly: 44, behindGateway: 46 },
  },
  {
    name: '0.2, required by 2025-11-25',
    suite: 'conformance-next',
    args: ['--requirements', '2025-11-25'],
    scenarios: 33,
    passed: { directly: 84, behindGateway: 83 },
  },
  {
    name: '0.2, required by 2026-07-28',
    suite: 'conformance-next',
    args: ['--requirements', '2026-07-28'],
    scenarios: 50,
    passed: { directly: 152, behindGateway: 152 },
  },
]

/** The extension `tasks` (SEP-2663) is not scored, and the SDK that the fixture is made with does not serve it. */
const isScored = ({ scenario }: { scenario: string }): boolean => !scenario.startsWith('tasks-')

/** What should happen within the second and a half that the suite waits, which a busy machine may take for itself. */
const isTimed = ({ id }: { id: string }): boolean => id.endsWith('-list-changed-on-subscription')

export function expectConformance(outcome: Outcome, { scenarios }: ServerRun, passed: number): void {
  const { exitCode, checks, output } = outcome
  const scored = checks.filter(isScored)
  expect(told(scored, 'FAILURE')).toEqual([])
  expect(new Set(checks.map(({ scenario }) => scenario)).size).toBe(scenarios)
  const late = told(scored.filter(isTimed), 'WARNING')
  expect(told(scored, 'SUCCESS').length + late.length, late.join('\n')).toBe(passed)
  expect(exitCode, output).toBe(0)
}
