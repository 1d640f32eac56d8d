/** The upstream that stands behind the gateway in these tests conforms itself: what fails there is the gateway's. */
import { afterAll, beforeAll, it } from 'vitest'
import { expectConformance, SERVER_RUNS } from '../support/conformance/expectation.ts'
import { type ConformanceFixture, startConformanceFixture } from '../support/conformance/fixture.ts'
import { RUN_WITHIN_MS, runSuite } from '../support/conformance/suite.ts'

let fixture: ConformanceFixture
beforeAll(async () => {
  fixture = await startConformanceFixture()
})
afterAll(() => fixture.stop())

it.each(SERVER_RUNS)('the fixture conforms: $name', { timeout: RUN_WITHIN_MS }, async (run) => {
  const outcome = await runSuite(run.suite, ['server', '--url', fixture.url, ...run.args])
  expectConformance(outcome, run, run.passed.directly)
})
