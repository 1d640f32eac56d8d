/**
 * Whether a URI can be an expansion of a URI template (RFC 6570). Names who is to be asked, no more: the
 * service itself has the last word, so the matcher is generous about what a value may hold. All operators,
 * lists and modifiers are read; values are not.
 *
 * No backtracking: all places of the URI that can be reached are carried from part to part, so the time is at
 * most the length of the URI times that of the template, whatever upstreams and callers write.
 */
const MAX_URI_CHARS = 2_048
const MAX_PARTS = 16

export type Pattern = (uri: string) => boolean

/** A text as it stands, or what an expression may become: nothing, or its `lead` and then allowed characters. */
type Part =
  | { readonly is: 'text'; readonly text: string }
  | { readonly is: 'value'; readonly lead: number | undefined; readonly forbidden: string }

/** Operators that the standard keeps for later make no expression. */
const EXPRESSION = /^([+#./;?&]?)([^{}=,!@|][^{}]*)$/
/** What a value cannot hold, by its operator. */
const FORBIDDEN: Readonly<Record<string, string>> = {
  '': '/',
  '+': '',
  '#': '',
  '.': '/',
  '/': '?#',
  ';': '/?#',
  '?': '#',
  '&': '#',
}

const NEVER: Pattern = () => false

/** The pattern of a template; one with unbalanced braces, or more parts than anyone needs, matches nothing. */
export function readTemplate(template: string): Pattern {
  const parts = readParts(template)
  if (!parts || parts.length > MAX_PARTS) return NEVER
  return (uri) => uri.length <= MAX_URI_CHARS && matches(parts, uri)
}

function readParts(template: string): readonly Part[] | undefined {
  const parts: Part[] = []
  let at = 0
  while (at < template.length) {
    const open = template.indexOf('{', at)
    const text = template.slice(at, open === -1 ? undefined : open)
    if (text.includes('}')) return undefined
    if (text !== '') parts.push({ is: 'text', text })
    if (open === -1) return parts
    const close = template.indexOf('}', open)
    const expression = close === -1 ? undefined : readExpression(template.slice(open + 1, close))
    if (!expression) return undefined
    parts.push(expression)
    at = close + 1
  }
  return parts
}

function readExpression(text: string): Part | undefined {
  const [, operator, names] = EXPRESSION.exec(text) ?? []
  if (operator === undefined || names === undefined) return undefined
  const lead = operator === '' || operator === '+' ? undefined : operator.charCodeAt(0)
  const isOneSegment = operator === '/' && !/[,*]/.test(names)
  return { is: 'value', lead, forbidden: isOneSegment ? '/?#' : (FORBIDDEN[operator] ?? '') }
}

function matches(parts: readonly Part[], uri: string): boolean {
  const [first] = parts
  if (first?.is === 'text' && !uri.startsWith(first.text)) return false
  let reached = new Uint8Array(uri.length + 1)
  reached[0] = 1
  for (const part of parts)
    reached = part.is === 'text' ? passText(part.text, uri, reached) : passValue(part, uri, reached)
  return reached[uri.length] === 1
}

function passText(text: string, uri: string, from: Uint8Array): Uint8Array<ArrayBuffer> {
  const to = new Uint8Array(from.length)
  for (let at = from.indexOf(1); at !== -1; at = from.indexOf(1, at + 1)) {
    if (uri.startsWith(text, at)) to[at + text.length] = 1
  }
  return to
}

function passValue(
  { lead, forbidden }: Part & { is: 'value' },
  uri: string,
  from: Uint8Array,
): Uint8Array<ArrayBuffer> {
  const to = new Uint8Array(from)
  let isInside = false
  for (let at = 0; at < uri.length; at++) {
    if (lead === undefined && from[at] === 1) isInside = true
    const isLead = lead !== undefined && from[at] === 1 && uri.charCodeAt(at) === lead
    isInside = isLead || (isInside && !forbidden.includes(uri.charAt(at)))
    if (isInside) to[at + 1] = 1
  }
  return to
}
