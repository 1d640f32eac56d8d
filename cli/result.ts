/** The result of a tool as a person reads it. What is no text is named, not shown. Pure. */

export type ReadResult = { readonly lines: readonly string[]; readonly isError: boolean }

export function readResult(result: Readonly<Record<string, unknown>>): ReadResult {
  const { content, structuredContent, isError } = result
  const lines = Array.isArray(content) ? content.map(describeBlock) : []
  const isSilent = lines.length === 0 && structuredContent !== undefined
  return {
    lines: isSilent ? [JSON.stringify(structuredContent, undefined, 2)] : lines,
    isError: isError === true,
  }
}

function describeBlock(block: unknown): string {
  if (typeof block !== 'object' || block === null) return '[unknown content]'
  const { type, text, mimeType, data, uri, name, resource } = readMembers(block)
  if (typeof text === 'string') return text
  if (typeof data === 'string')
    return `[${String(type)}, ${String(mimeType)}, ${Buffer.byteLength(data, 'base64')} bytes: --json holds it]`
  if (typeof uri === 'string') return `[link: ${typeof name === 'string' ? `${name}, ` : ''}${uri}]`
  if (typeof resource === 'object' && resource !== null) return describeResource(readMembers(resource))
  return `[${typeof type === 'string' ? type : 'unknown content'}: --json holds it]`
}

function describeResource({ text, blob, uri, mimeType }: Members): string {
  if (typeof text === 'string') return text
  const bytes = typeof blob === 'string' ? Buffer.byteLength(blob, 'base64') : 0
  return `[resource: ${String(uri)}, ${String(mimeType)}, ${bytes} bytes: --json holds it]`
}

type Members = Readonly<Record<string, unknown>>

const readMembers = (value: object): Members => Object.fromEntries(Object.entries(value))
