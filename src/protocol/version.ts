/**
 * Versions of MCP and the two eras. `legacy`: handshake and sessions, up to 2025-11-25. `modern`:
 * stateless, every request carries its version and capabilities, from 2026-07-28 on.
 */
export type Era = 'legacy' | 'modern'

export const MODERN_VERSION = '2026-07-28'
export const NEWEST_LEGACY_VERSION = '2025-11-25'
/** What a legacy client speaks that names no version (2025-03-26, streamable HTTP, "Protocol Version Header"). */
export const UNNAMED_VERSION = '2025-03-26'

const LEGACY_VERSIONS: readonly string[] = [
  NEWEST_LEGACY_VERSION,
  '2025-06-18',
  UNNAMED_VERSION,
  '2024-11-05',
]
export const SUPPORTED_VERSIONS: readonly string[] = [MODERN_VERSION, ...LEGACY_VERSIONS]

export const isModernVersion = (version: string): boolean => version === MODERN_VERSION
export const isLegacyVersion = (version: string): boolean => LEGACY_VERSIONS.includes(version)

/** Whether a client that sends this `MCP-Protocol-Version` may send batches: only 2025-03-26 has them, unnamed or named. */
export const takesBatches = (version: string | null): boolean =>
  (version ?? UNNAMED_VERSION) === UNNAMED_VERSION

/** The version that `initialize` answers: the one asked for where we speak it, else our newest legacy one. */
export const negotiateVersion = (requested: unknown): string =>
  typeof requested === 'string' && isLegacyVersion(requested) ? requested : NEWEST_LEGACY_VERSION

/** Keys of a modern request's `_meta` (2026-07-28, "Per-request metadata"). */
export const META = {
  version: 'io.modelcontextprotocol/protocolVersion',
  capabilities: 'io.modelcontextprotocol/clientCapabilities',
  clientInfo: 'io.modelcontextprotocol/clientInfo',
  logLevel: 'io.modelcontextprotocol/logLevel',
} as const

/** How the gateway names itself, to callers and to upstreams. */
export const GATEWAY_INFO = { name: 'switchyard', title: 'Switchyard', version: '0.1.0' } as const
