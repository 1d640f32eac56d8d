import { cloudflareTest } from '@cloudflare/vitest-plugin'
import type { ProvidedContext } from 'vitest'
import { defineConfig } from 'vitest/config'

const folders = (...names: string[]): string[] => names.map((name) => `test/${name}/**/*.test.ts`)

const bindingsFor = ({ databaseUrl, redisUrl }: ProvidedContext['stores']): Record<string, string> => ({
  DATABASE_URL: databaseUrl,
  UPSTASH_REDIS_REST_URL: redisUrl,
  UPSTASH_REDIS_REST_TOKEN: 'redis-token',
  API_KEY: 'an-api-key-of-the-tests',
  MCP_BEARER_TOKEN: 'a-bearer-token-of-the-tests',
  ENCRYPTION_KEY: Buffer.alloc(32, 7).toString('base64'),
  JWT_SECRET: 'jwt-secret-for-tests',
  ALLOW_PRIVATE_UPSTREAMS: 'true',
})

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
          include: folders(
            'worker',
            'inputs',
            'faults',
            'attacks',
            'documents',
            'local',
            'conformance',
            'matrix',
            'everything',
            'cli',
          ),
          globalSetup: ['test/support/setup.ts'],
        },
      },
      {
        extends: true,
        // Minutes long: `npm run test:long` runs them beside `npm test`.
        test: { name: 'load', include: folders('load'), globalSetup: ['test/support/setup.ts'] },
      },
      {
        extends: true,
        // Needs Chromium: `.ci/browser` runs them.
        test: { name: 'browser', include: folders('browser'), globalSetup: ['test/support/setup.ts'] },
      },
      {
        extends: true,
        // These run inside the runtime, where a Durable Object can be evicted between two requests.
        plugins: [
          cloudflareTest(({ inject }) => ({
            wrangler: { configPath: './wrangler.toml' },
            miniflare: { bindings: bindingsFor(inject('stores')) },
          })),
        ],
        test: { name: 'objects', include: folders('objects'), globalSetup: ['test/objects/setup.ts'] },
      },
    ],
  },
})
