/** Instructions of several services as one text: a heading each, and none so long that it drowns the others. */
import type { ServiceRecord } from './image.ts'

const MAX_SERVICE_CHARS = 2_000
const MAX_CHARS = 16_000
const MARK = ' […]'

/** What one service tells its callers, whole. */
export const ownInstructions = ({ catalogue }: ServiceRecord): string | undefined =>
  catalogue?.instructions || undefined

export function joinInstructions(services: readonly ServiceRecord[]): string | undefined {
  const parts = services.flatMap((service) => {
    const text = ownInstructions(service)
    return text === undefined ? [] : [`## ${service.name}\n\n${shorten(text, MAX_SERVICE_CHARS)}`]
  })
  return parts.length === 0 ? undefined : shorten(parts.join('\n\n'), MAX_CHARS)
}

/** At most so many characters, the mark of the cut included; a surrogate pair is never torn. */
function shorten(text: string, maxChars: number): string {
  if (text.length <= maxChars) return text
  const end = maxChars - MARK.length
  const isTorn = (text.codePointAt(end - 1) ?? 0) > 0xffff
  return text.slice(0, isTorn ? end - 1 : end) + MARK
}
