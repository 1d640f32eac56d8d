/** Questions of tools and prompts that want input in the middle of a request (2026-07-28, "MRTR"). */
import {
  acceptedContent,
  CLIENT_CAPABILITIES_META_KEY,
  type ClientCapabilities,
  inputRequired,
  type ServerContext,
} from '@modelcontextprotocol/server'

/** A form of one field. */
export const askFor = (message: string, field: string) =>
  inputRequired.elicit({
    message,
    requestedSchema: { type: 'object', properties: { [field]: { type: 'string' } }, required: [field] },
  })

export const askToConfirm = () =>
  inputRequired.elicit({
    message: 'Please confirm',
    requestedSchema: { type: 'object', properties: { ok: { type: 'boolean' } }, required: ['ok'] },
  })

export const askModel = (text: string) =>
  inputRequired.createMessage({
    messages: [{ role: 'user', content: { type: 'text', text } }],
    maxTokens: 100,
  })

/** What the user filled in under this key; `undefined`: nothing yet, or something else. */
export function filledIn({ mcpReq }: ServerContext, key: string, field: string): string | undefined {
  const value = acceptedContent(mcpReq.inputResponses, key)?.[field]
  return typeof value === 'string' ? value : undefined
}

export const isConfirmed = ({ mcpReq }: ServerContext): boolean =>
  acceptedContent(mcpReq.inputResponses, 'confirm') !== undefined

export const capabilitiesOf = ({ mcpReq }: ServerContext): ClientCapabilities =>
  (mcpReq.envelope as { [CLIENT_CAPABILITIES_META_KEY]?: ClientCapabilities } | undefined)?.[
    CLIENT_CAPABILITIES_META_KEY
  ] ?? {}

/** The text that the client's model said under this key. */
export function said({ mcpReq }: ServerContext, key: string): string | undefined {
  const response = mcpReq.inputResponses?.[key] as { content?: { text?: unknown } } | undefined
  const text = response?.content?.text
  return typeof text === 'string' ? text : undefined
}

/** The addresses that the client opened to the server. */
export function rootsOf({ mcpReq }: ServerContext): readonly string[] | undefined {
  const response = mcpReq.inputResponses?.['client_roots'] as { roots?: { uri?: string }[] } | undefined
  return Array.isArray(response?.roots) ? response.roots.map(({ uri }) => String(uri)) : undefined
}
