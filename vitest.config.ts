import { defineConfig } from 'vitest/config'

const folders = (...names: string[]): string[] => names.map((name) => `test/${name}/**/*.test.ts`)

export default defineConfig({
  test: {
    // Two cores: files that start databases and gateways side by side would only slow each other.
    maxWorkers: 2,
    testTimeout: 20_000,
    hookTimeout: 60_000,
    projects: [
      {
        extends: true,
        test: { name: 'unit', include: folders('unit', 'architecture', 'support', 'examples') },
      },
      {
        extends: true,
        test: {
          name: 'system',
          include: folders('worker', 'inputs', 'faults', 'attacks', 'documents', 'local'),
          globalSetup: ['test/support/setup.ts'],
        },
      },
    ],
  },
})
