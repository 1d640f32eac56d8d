/** Instructions of several services as one text: a heading each, and none so long that it drowns the others. */
import { hiddenIn } from './hidden.ts'
import type { ServiceRecord } from './image.ts'

const MAX_SERVICE_CHARS = 2_000
const MAX_CHARS = 16_000
const MARK = ' […]'
const HEADING = /^[ \t]*#{1,6}[ \t]+(\S+)[ \t#]*$/gmu

/** What one service tells its callers, whole. */
export const ownInstructions = ({ catalogue }: ServiceRecord): string | undefined =>
  catalogue?.instructions || undefined

/** Each service speaks under its own name and under no other's, and what is hidden is not passed on (S39, S42). */
export function joinInstructions(services: readonly ServiceRecord[]): string | undefined {
  const names = new Set(services.map(({ name }) => name))
  const parts = services.flatMap((service) => {
    const text = ownInstructions(service)
    if (text === undefined || hiddenIn(text) !== undefined) return []
    return [`## ${service.name}\n\n${withoutHeadings(shorten(text, MAX_SERVICE_CHARS), names)}`]
  })
  return parts.length === 0 ? undefined : shorten(parts.join('\n\n'), MAX_CHARS)
}

/** A line that looks like the heading of a service is one no more. */
const withoutHeadings = (text: string, names: ReadonlySet<string>): string =>
  text.replaceAll(HEADING, (line, name: string) =>
    names.has(name.toLowerCase()) ? `\\${line.trimStart()}` : line,
  )

/** At most so many characters, the mark of the cut included; a surrogate pair is never torn. */
function shorten(text: string, maxChars: number): string {
  if (text.length <= maxChars) return text
  const end = maxChars - MARK.length
  const isTorn = (text.codePointAt(end - 1) ?? 0) > 0xffff
  return text.slice(0, isTorn ? end - 1 : end) + MARK
}
