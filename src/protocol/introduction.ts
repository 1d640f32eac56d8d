/** What the gateway says of itself, in the words of each era. */
import type { Message } from './message.ts'
import { GATEWAY_INFO, negotiateVersion, SUPPORTED_VERSIONS } from './version.ts'

const CAPABILITIES = { tools: {} } as const

/** How long a modern client may remember this answer: it changes with a release only. */
const DISCOVERY_TTL_MS = 3_600_000

/** The result of a legacy `initialize`. */
export const initializeResult = (message: Message): unknown => ({
  protocolVersion: negotiateVersion(message.params?.['protocolVersion']),
  capabilities: CAPABILITIES,
  serverInfo: GATEWAY_INFO,
})

/** The result of a modern `server/discover`. */
export const discoverResult = (): unknown => ({
  resultType: 'complete',
  supportedVersions: SUPPORTED_VERSIONS,
  capabilities: CAPABILITIES,
  ttlMs: DISCOVERY_TTL_MS,
  cacheScope: 'public',
  _meta: { 'io.modelcontextprotocol/serverInfo': GATEWAY_INFO },
})
