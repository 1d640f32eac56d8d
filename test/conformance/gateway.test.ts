/** The official suites for servers, put to the gateway with one service behind it. */
import { afterAll, beforeAll, it } from 'vitest'
import { expectConformance, SERVER_RUNS } from '../support/conformance/expectation.ts'
import { RUN_WITHIN_MS, runSuite } from '../support/conformance/suite.ts'
import { startTarget, type Target } from '../support/conformance/target.ts'

let target: Target
beforeAll(async () => {
  target = await startTarget()
})
afterAll(() => target.stop())

it.each(SERVER_RUNS)('the gateway conforms: $name', { timeout: RUN_WITHIN_MS }, async (run) => {
  const outcome = await runSuite(run.suite, ['server', '--url', target.url, ...run.args])
  expectConformance(outcome, run, run.passed.behindGateway)
})
