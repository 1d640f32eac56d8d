/**
 * What an operator should look at in the words of a tool (S40): commands to the model, and names of tools of others.
 * A hint and nothing more: prose can say anything in other words, so nothing is refused for it.
 */
import { canonicalJson } from '../protocol/canonical.ts'

/** What harmless descriptions say least. */
const COMMANDS: readonly RegExp[] = [
  /\b(?:before|after|instead of|prior to) (?:using|calling|invoking|running|use of) (?:this|any|other|another|the)\b/giu,
  /\b(?:ignore|disregard|forget|override) (?:all |any |the |your )*(?:previous|prior|earlier|above|other)\b/giu,
  /\b(?:do not|don't|never|without) (?:tell|inform|mention|show|reveal|notify|telling|informing|mentioning)\b/giu,
  /\b(?:always|must) (?:first )?(?:call|use|invoke|run) (?:this|me|it)\b/giu,
  /<\/?(?:important|system|secret|instructions?)>/giu,
  /(?:~|\$HOME|%USERPROFILE%)[\\/]\.?\w+|\bid_(?:rsa|ed25519)\b|\/etc\/(?:passwd|shadow)\b|\.env\b|\bmcp\.json\b/giu,
]
const WORD = /\w+(?:[.-]\w+)*/gu
const BREAK = /\\[nrt]/gu
/** A name that is also a plain word says nothing. */
const TELLING = /[_\d.-]|[a-z][A-Z]/
const MAX_FLAGS = 20
const MAX_CHARS = 80

/** `others`: names by which callers know the tools of other services. */
export function flagsOf(tool: string, others: ReadonlySet<string>): readonly string[] {
  const text = canonicalJson(tool).replaceAll(BREAK, ' ')
  const commands = COMMANDS.flatMap((pattern) => text.match(pattern) ?? []).map((found) => `says: ${found}`)
  const names = (text.match(WORD) ?? [])
    .filter((word) => TELLING.test(word) && others.has(word))
    .map((word) => `names a tool of another service: ${word}`)
  return [...new Set([...commands, ...names])].slice(0, MAX_FLAGS).map((flag) => flag.slice(0, MAX_CHARS))
}
