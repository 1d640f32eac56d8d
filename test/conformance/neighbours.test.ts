/** The official suites for servers, put to a gateway where the fixture is one service among others of every kind. */
import { afterAll, beforeAll, it } from 'vitest'
import { expectConformance, SERVER_RUNS } from '../support/conformance/expectation.ts'
import { RUN_WITHIN_MS, runSuite } from '../support/conformance/suite.ts'
import { startTarget, type Target } from '../support/conformance/target.ts'

let target: Target
beforeAll(async () => {
  target = await startTarget({
    library: {
      era: 'legacy',
      stateful: true,
      listens: true,
      resources: [{ uri: 'library://catalogue', name: 'catalogue' }],
      templates: [{ uriTemplate: 'library://book/{isbn}', name: 'book' }],
    },
    weather: {
      era: 'modern',
      tools: [{ name: 'forecast', description: 'Looks ahead', inputSchema: { type: 'object' } }],
    },
    archive: { era: 'legacy', answers: 'sse', prompts: [{ name: 'summarise', description: 'Shortens' }] },
    workshop: { era: 'both', answers: 'sse', pageSize: 3, instructions: 'Wear goggles.' },
  })
})
afterAll(() => target.stop())

it.each(SERVER_RUNS)('one service among five conforms: $name', { timeout: RUN_WITHIN_MS }, async (run) => {
  const outcome = await runSuite(run.suite, ['server', '--url', target.url, ...run.args])
  expectConformance(outcome, run, run.passed.behindGateway)
})
