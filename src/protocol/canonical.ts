/**
 * One text for all JSON texts that say the same: no white space, keys in order, strings without needless escapes.
 * Numbers stand as they were written, and a key given twice counts twice, since readers differ in what they make of
 * either. Trusts that JSON.parse accepted the text; one pass, no recursion.
 */
import { endOfString } from './json.ts'

type Open = {
  /** Absent: an array. */
  readonly members?: (readonly [key: string, canonical: string])[]
  /** The elements so far. */
  text: string
  /** The key whose value comes next, raw as all texts here. */
  key: string | undefined
}

const SCALAR = /[^\s{}[\],:"]+/y

export function canonicalJson(text: string): string {
  const open: Open[] = []
  let whole = ''
  const put = (value: string): void => {
    const into = open.at(-1)
    if (!into) whole = value
    else if (!into.members) into.text += into.text === '' ? value : `,${value}`
    else if (into.key !== undefined) {
      into.members.push([into.key, value])
      into.key = undefined
    }
  }
  for (let at = 0; at < text.length; at++) {
    switch (text[at]) {
      case '{':
        open.push({ members: [], text: '', key: undefined })
        break
      case '[':
        open.push({ text: '', key: undefined })
        break
      case '}':
      case ']':
        put(close(open.pop()))
        break
      case '"': {
        const end = endOfString(text, at)
        const value = withoutEscapes(text.slice(at, end))
        const into = open.at(-1)
        if (into?.members && into.key === undefined) into.key = value
        else put(value)
        at = end - 1
        break
      }
      default: {
        SCALAR.lastIndex = at
        const [scalar] = SCALAR.exec(text) ?? []
        if (scalar === undefined) break
        put(scalar)
        at += scalar.length - 1
      }
    }
  }
  return whole
}

function close(ended: Open | undefined): string {
  if (!ended?.members) return `[${ended?.text ?? ''}]`
  const sorted = ended.members.toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
  return `{${sorted.map(([key, value]) => `${key}:${value}`).join(',')}}`
}

/** A raw string with those escapes only that JSON demands. */
const withoutEscapes = (raw: string): string => (raw.includes('\\') ? JSON.stringify(JSON.parse(raw)) : raw)
