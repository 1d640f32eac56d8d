/**
 * The official suites for clients, where the client is the gateway: the server of each scenario stands behind it, and
 * a caller of either era has it do what the scenario wants.
 */
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  listClientScenarios,
  RUN_WITHIN_MS,
  runSuite,
  type Suite,
  told,
} from '../support/conformance/suite.ts'
import type { Gateway } from '../support/gateway.ts'
import { startStack, type Stack } from '../support/stack.ts'

type Placement = 'runs' | { readonly not: string }

const OAUTH = { not: 'the gateway refreshes tokens for upstreams, it does not sign in for the first ones' }
const SKILLS = { not: 'what a host does with the files of a skill; the gateway loads none' }

/** Every scenario of either suite must stand here. */
const SCENARIOS: Readonly<Record<string, Placement>> = {
  initialize: 'runs',
  tools_call: 'runs',
  'elicitation-sep1034-client-defaults': 'runs',
  'sse-retry': 'runs',
  'request-metadata': 'runs',
  'sep-2322-client-request-state': 'runs',
  'http-standard-headers': 'runs',
  'http-custom-headers': 'runs',
  'http-invalid-tool-headers': 'runs',
  'json-schema-ref-no-deref': 'runs',
  'json-schema-2020-12-preservation': 'runs',
  'sep-2640-client-no-prefetch': SKILLS,
  'sep-2640-client-verify-digest': SKILLS,
  'sep-2640-client-verify-size': SKILLS,
  'sep-2640-client-verify-frontmatter': SKILLS,
  'auth/metadata-default': OAUTH,
  'auth/metadata-var1': OAUTH,
  'auth/metadata-var2': OAUTH,
  'auth/metadata-var3': OAUTH,
  'auth/basic-cimd': OAUTH,
  'auth/scope-from-www-authenticate': OAUTH,
  'auth/scope-from-scopes-supported': OAUTH,
  'auth/scope-omitted-when-undefined': OAUTH,
  'auth/scope-step-up': OAUTH,
  'auth/scope-retry-limit': OAUTH,
  'auth/token-endpoint-auth-basic': OAUTH,
  'auth/token-endpoint-auth-post': OAUTH,
  'auth/token-endpoint-auth-none': OAUTH,
  'auth/pre-registration': OAUTH,
  'auth/2025-03-26-oauth-metadata-backcompat': OAUTH,
  'auth/2025-03-26-oauth-endpoint-fallback': OAUTH,
  'auth/resource-mismatch': OAUTH,
  'auth/offline-access-scope': OAUTH,
  'auth/offline-access-not-supported': OAUTH,
  'auth/authorization-server-migration': OAUTH,
  'auth/iss-supported': OAUTH,
  'auth/iss-not-advertised': OAUTH,
  'auth/iss-supported-missing': OAUTH,
  'auth/iss-wrong-issuer': OAUTH,
  'auth/iss-unexpected': OAUTH,
  'auth/iss-normalized': OAUTH,
  'auth/metadata-issuer-mismatch': OAUTH,
  'auth/client-credentials-jwt': OAUTH,
  'auth/client-credentials-basic': OAUTH,
  'auth/cross-app-access-complete-flow': OAUTH,
  'auth/enterprise-managed-authorization': OAUTH,
  'auth/dpop': OAUTH,
  'auth/dpop-nonce': OAUTH,
  'auth/wif-jwt-bearer': OAUTH,
}

/** The versions that the newer suite scores; the older one has no choice of them. */
const SCORED = ['2025-11-25', '2026-07-28']
const SUITES: Readonly<Record<Suite, ReadonlyMap<string, readonly string[]>>> = {
  conformance: await listClientScenarios('conformance'),
  'conformance-next': await listClientScenarios('conformance-next'),
}

const runs = Object.keys(SCENARIOS)
  .filter((name) => SCENARIOS[name] === 'runs')
  .flatMap((scenario) => {
    const versions = SUITES['conformance-next'].get(scenario)?.filter((version) => SCORED.includes(version))
    const newer = (versions ?? []).map((version) => ({
      scenario,
      suite: 'conformance-next' as const,
      version,
      args: ['--spec-version', version],
    }))
    const older = { scenario, suite: 'conformance' as const, version: 'the version of 0.1.16', args: [] }
    return SUITES.conformance.has(scenario) ? [older, ...newer] : newer
  })

let stack: Stack
let gateway: Gateway
beforeAll(async () => {
  stack = await startStack()
  gateway = await stack.gateway({ MCP_AUTH: 'open' })
})
afterAll(() => stack.close())

it.each(['conformance', 'conformance-next'] as const)('every scenario of %s is placed', (suite) => {
  const scenarios = [...SUITES[suite].keys()]
  expect(scenarios.length).toBeGreaterThan(20)
  expect(scenarios.filter((name) => SCENARIOS[name] === undefined)).toEqual([])
})

it('no scenario is placed that is gone', () => {
  const known = new Set([...SUITES.conformance.keys(), ...SUITES['conformance-next'].keys()])
  expect(Object.keys(SCENARIOS).filter((name) => !known.has(name))).toEqual([])
})

const DRIVER = join(import.meta.dirname, '../support/conformance/client-driver.ts')

describe.each(['legacy', 'modern'])('for a %s caller', (era) => {
  // Each mostly waits for its suite to let go of connections.
  it.concurrent.each(runs)(
    '$scenario, $version',
    { timeout: RUN_WITHIN_MS },
    async ({ scenario, suite, args }) => {
      const command = `"${process.execPath}" "${DRIVER}"`
      const outcome = await runSuite(
        suite,
        ['client', '--command', command, '--scenario', scenario, ...args],
        { SWITCHYARD_URL: gateway.url, SWITCHYARD_CALLER_ERA: era },
      )
      expect(told(outcome.checks, 'FAILURE')).toEqual([])
      expect(told(outcome.checks, 'WARNING')).toEqual([])
      expect(told(outcome.checks, 'SUCCESS').length).toBeGreaterThan(0)
      expect(outcome.exitCode, outcome.output).toBe(0)
    },
  )
})
