/**
 * What the upstreams of the benchmark offer. Every tool takes the same and does the same, so that a catalogue has the
 * same bytes however it is spread over services. The upstreams make it, and answers are checked by it.
 */

/** One upstream, by its place in a list of them. */
export type ServiceOffer = {
  readonly tools: number
  /** How calls are answered. */
  readonly answers: 'json' | 'stream'
  /** Demands a session, and so speaks the versions that have them alone. */
  readonly hasSessions: boolean
  /** With what it is registered beside its name and address. */
  readonly settings?: object
}

export type Tool = {
  readonly name: string
  readonly description: string
  readonly inputSchema: object
}

export const PLAIN: ServiceOffer = { tools: 10, answers: 'json', hasSessions: false }

const PURPOSE =
  'Says the text again after its own name, followed by as many more characters as it is asked for; data beside it is counted.'

export const slugOf = (service: number): string => `s${String(service).padStart(3, '0')}`

export const toolName = (service: number, tool: number): string =>
  `${slugOf(service)}_t${String(tool).padStart(4, '0')}`

/** The names of all tools of one of these services. */
export const toolNames = (service: number, offers: readonly ServiceOffer[]): string[] =>
  Array.from({ length: offers[service]?.tools ?? 0 }, (_, tool) => toolName(service, tool))

/** The same of all of them. */
export const allTools = (offers: readonly ServiceOffer[]): string[] =>
  offers.flatMap((_, service) => toolNames(service, offers))

export const describeTool = (name: string): Tool => ({
  name,
  description: `${name}: ${PURPOSE}`,
  inputSchema: {
    type: 'object',
    properties: {
      text: { type: 'string', description: 'What is said again' },
      more: { type: 'integer', minimum: 0, maximum: 8_000_000 },
      data: { type: 'string' },
    },
    required: ['text'],
  },
})

/** What a call says. `more`: characters beside the text in the answer; `data`: characters beside it in the call. */
export type Wording = { readonly text: string; readonly more: number; readonly data: number }

/** The text of the one right answer. */
export const sayAgain = (name: string, { text, more, data }: Wording): string =>
  `${name} ${data} ${text}${fill(more)}`

const fills = new Map<number, string>()

/** So many characters, kept: they are the same every time. */
export function fill(chars: number): string {
  const known = fills.get(chars)
  if (known !== undefined) return known
  const made = 'x'.repeat(chars)
  fills.set(chars, made)
  return made
}
