/** What the gateway says of itself, in the words of each era; as raw JSON, since capabilities are passed on raw. */
import { writeObject } from './json.ts'
import type { Message } from './message.ts'
import { VIEW_TTL_MS } from './result.ts'
import { GATEWAY_INFO, negotiateVersion, SUPPORTED_VERSIONS } from './version.ts'

/** What depends on the services behind it. */
export type Offering = {
  /** A raw JSON object. */
  readonly capabilities: string
  /** Plain text. */
  readonly instructions: string | undefined
}

const SERVER_INFO = JSON.stringify(GATEWAY_INFO)

/** The result of a legacy `initialize`. */
export const initializeResult = (message: Message, offering: Offering): string =>
  writeObject([
    ['protocolVersion', JSON.stringify(negotiateVersion(message.params?.['protocolVersion']))],
    ['capabilities', offering.capabilities],
    ['serverInfo', SERVER_INFO],
    ...instructionsOf(offering),
  ])

/** The result of a modern `server/discover`: it holds as long as a list does, and for this caller. */
export const discoverResult = (offering: Offering): string =>
  writeObject([
    ['resultType', '"complete"'],
    ['supportedVersions', JSON.stringify(SUPPORTED_VERSIONS)],
    ['capabilities', offering.capabilities],
    ...instructionsOf(offering),
    ['ttlMs', String(VIEW_TTL_MS)],
    ['cacheScope', '"private"'],
    ['_meta', writeObject([['io.modelcontextprotocol/serverInfo', SERVER_INFO]])],
  ])

const instructionsOf = ({ instructions }: Offering): (readonly [string, string])[] =>
  instructions === undefined ? [] : [['instructions', JSON.stringify(instructions)]]
