/**
 * The text of a Postgres value as JSON text, as Neon's endpoint writes it when the caller does not
 * ask for raw text: numbers, booleans, JSON and arrays of them become JSON, all else a string.
 * Knows type numbers (pg_type.oid); works on text alone, so that no number loses a digit.
 */

const BOOL = 16
const JSON_TYPES = new Set([114, 3802])
const INTEGERS = new Set([21, 23])
const FLOATS = new Set([700, 701])

/** Array types whose elements a caller may meet: element type by array type. */
const ELEMENTS = new Map([
  [1000, 16],
  [1001, 17],
  [1005, 21],
  [1007, 23],
  [1016, 20],
  [1021, 700],
  [1022, 701],
  [1009, 25],
  [1015, 1043],
  [1115, 1114],
  [1182, 1082],
  [1185, 1184],
  [1231, 1700],
  [199, 114],
  [3807, 3802],
  [2951, 2950],
])

const encodeScalar = (text: string, type: number): string => {
  if (type === BOOL) return String(text === 't')
  if (JSON_TYPES.has(type) || INTEGERS.has(type)) return text
  // NaN and Infinity have no JSON number.
  if (FLOATS.has(type) && Number.isFinite(Number(text))) return JSON.stringify(Number(text))
  return JSON.stringify(text)
}

// One step of an array's text: a brace, a comma, a quoted element, or a bare one.
const TOKEN = /\s*([{},]|"(?:[^"\\]|\\.)*"|[^{},"\s][^{},"]*)/gsy

const encodeArray = (text: string, element: number): string => {
  // `[1:1][-2:-1]={…}` states bounds, which JSON cannot.
  const body = text.startsWith('[') ? text.slice(text.indexOf('=') + 1) : text
  let json = ''
  for (const [, token = ''] of body.matchAll(TOKEN)) {
    if (token === '{') json += '['
    else if (token === '}') json += ']'
    else if (token === ',') json += ','
    else if (token.startsWith('"')) json += encodeScalar(token.slice(1, -1).replace(/\\(.)/gs, '$1'), element)
    else if (token.trimEnd() === 'NULL') json += 'null'
    else json += encodeScalar(token.trimEnd(), element)
  }
  return json
}

/** The JSON text of one cell; `isRaw` keeps Postgres' text as a string. */
export const encodeCell = (text: string | null, type: number, isRaw: boolean): string => {
  if (text === null) return 'null'
  if (isRaw) return JSON.stringify(text)
  const element = ELEMENTS.get(type)
  return element === undefined ? encodeScalar(text, type) : encodeArray(text, element)
}
