import type { Era } from './version.ts'

/** What a service offers. `tools`, `resources`, … are raw JSON arrays, `serverInfo` and `capabilities` raw objects. */
export type Catalogue = {
  readonly tools: string
  readonly resources: string
  readonly resourceTemplates: string
  readonly prompts: string
  readonly serverInfo: string
  readonly capabilities: string
  readonly instructions: string | undefined
  readonly era: Era
  readonly protocolVersion: string
  /** The legacy version that it speaks, also where `era` is modern; `undefined`: none. */
  readonly legacyVersion: string | undefined
  /** What it said to a legacy client: a raw object. Equals `capabilities` where it speaks no modern version. */
  readonly legacyCapabilities: string
  /** Its legacy side demands a session of its own (`Mcp-Session-Id`). */
  readonly isStateful: boolean
  /** SHA-256 over all of the above; the same catalogue has the same fingerprint. */
  readonly fingerprint: string
}
