/** Once before all tests: the production bundle, which every gateway of the tests runs. */
import type { TestProject } from 'vitest/node'
import { buildBundle } from '../../local/workerd.ts'

export default async function setup(project: TestProject): Promise<void> {
  project.provide('bundle', await buildBundle())
}

declare module 'vitest' {
  interface ProvidedContext {
    /** Directory of the production bundle. */
    bundle: string
  }
}
