/** Every field that a body may have, as its JSON Schema says, and what is wrong for it. Members and items count, at any depth. */
import type { Document, Schema } from './described.ts'

export type Path = readonly (string | number)[]

export type Field = {
  readonly path: Path
  /** Each way in which it may be given. */
  readonly kinds: readonly Schema[]
  readonly isRequired: boolean
  /** Constants that its branch of a union is told by. */
  readonly beside: object | undefined
}

/** Raw JSON in the place of a value that `JSON.stringify` has no words for. */
export class Raw {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}

export const nameOf = (path: Path): string => path.join('.')

/** Breadth first. The body itself is the field without a path. */
export function fieldsOf(schema: Schema, document: Document): readonly Field[] {
  const found: Field[] = [
    { path: [], kinds: kindsOf(schema, document), isRequired: false, beside: undefined },
  ]
  for (const { path, kinds } of found) {
    for (const kind of kinds) {
      for (const [step, member, isRequired] of membersOf(kind)) {
        const own = kindsOf(member, document)
        if (typeof step === 'string' && !own.some(isTyped) && !kind.properties?.[step]) continue
        const beside = constantsOf(kind)
        add(found, { path: [...path, step], kinds: own, isRequired, beside })
      }
    }
  }
  return found
}

type Member = readonly [step: string | number, schema: Schema, isRequired: boolean]

const membersOf = ({
  properties = {},
  required = [],
  items,
  additionalProperties,
}: Schema): readonly Member[] => [
  ...Object.entries(properties).map(([name, member]): Member => [name, member, required.includes(name)]),
  ...(items ? [[0, items, false] as const] : []),
  ...(typeof additionalProperties === 'object' ? [['x-any', additionalProperties, false] as const] : []),
]

/** By which members one branch of a union is told from the others. */
function constantsOf({ properties = {} }: Schema): object | undefined {
  const constants = Object.entries(properties).filter(([, member]) => member.const !== undefined)
  return constants.length === 0
    ? undefined
    : Object.fromEntries(constants.map(([name, member]) => [name, member.const]))
}

/** The same field in several branches of a union is one that may be all of that. */
function add(found: Field[], field: Field): void {
  const at = found.findIndex(({ path }) => nameOf(path) === nameOf(field.path))
  const before = found[at]
  if (before) found[at] = { ...before, kinds: [...before.kinds, ...field.kinds] }
  else found.push(field)
}

function kindsOf(schema: Schema, document: Document): readonly Schema[] {
  const { anyOf, oneOf, type, ...own } = document.resolve(schema)
  const branches = anyOf ?? oneOf
  if (branches) return branches.flatMap((branch) => kindsOf(branch, document))
  return typeof type === 'object' ? type.map((each) => ({ ...own, type: each })) : [document.resolve(schema)]
}

/** It may be anything, or a list of any length. */
export const isUnbounded = ({ kinds }: Field): boolean =>
  !kinds.every(isTyped) || kinds.some(({ type, maxItems }) => type === 'array' && maxItems === undefined)

/** Where it is looked at: beside what makes its branch of a union the one that is meant. */
const groundFor = (body: unknown, { path, beside }: Field): unknown =>
  beside === undefined ? body : place(body, path.slice(0, -1), beside)

export const withValue = (body: unknown, field: Field, value: unknown): unknown =>
  place(groundFor(body, field), field.path, value)

/** Whatever stands beside it is there. */
export function without(body: unknown, field: Field): unknown {
  const ground = groundFor(body, field)
  const left = leaveOut(ground, field.path)
  return field.beside === undefined && write(left) === write(ground)
    ? place(ground, field.path.slice(0, -1), {})
    : left
}

const isTyped = ({ type, enum: choice, const: only }: Schema): boolean =>
  type !== undefined || choice !== undefined || only !== undefined

const OF_TYPE = {
  null: null,
  boolean: true,
  number: 7,
  string: 'x',
  array: [],
  object: {},
} as const

const LONG = 'a'.repeat(70_000)

/** Values of which each is wrong. Of a field that may be anything there is none. */
export function wrongFor({ kinds }: Field): readonly unknown[] {
  if (!kinds.every(isTyped)) return []
  const types = kinds.flatMap(typesOf)
  const others = Object.entries(OF_TYPE).flatMap(([type, value]) => (types.includes(type) ? [] : [value]))
  return [...others, ...kinds.flatMap(tooMuchFor)]
}

function typesOf({ type, enum: choice, const: only }: Schema): readonly string[] {
  if (type === 'integer') return ['number']
  if (typeof type === 'string') return [type]
  return (choice ?? [only]).map((value) => typeof value)
}

function tooMuchFor(kind: Schema): readonly unknown[] {
  const { type, minimum, maximum, maxItems, minItems = 0 } = kind
  switch (type) {
    case 'string':
      return [LONG]
    case 'integer':
    case 'number':
      return [
        ...(minimum === undefined ? [] : [minimum - 1]),
        ...(maximum === undefined ? [] : [maximum + 1]),
        1.5,
        1e300,
        new Raw('1e400'),
        new Raw('-0.1'),
      ]
    case 'array':
      return [
        ...(maxItems === undefined ? [] : [Array.from({ length: maxItems + 1 }, () => 'a')]),
        ...(minItems > 0 ? [[]] : []),
      ]
    default:
      return []
  }
}

/** Texts that no database keeps, and some that it does: whatever becomes of them, nothing breaks. */
export const ODD_TEXTS = [
  '',
  '\0',
  'a\0b',
  '\ud800',
  'a\udc00b',
  '\u202e',
  '\ufeff',
  '__proto__',
  '😀',
] as const

/** Names that objects have anyway; none is a field of ours. */
export const FOREIGN_NAMES = ['unheardOf', '__proto__', 'constructor', 'toString', 'a\0b', ''] as const

/** The body with this in that place. What is missing on the way there is made. */
export function place(body: unknown, path: Path, value: unknown): unknown {
  const [step, ...rest] = path
  if (step === undefined) return value
  if (typeof step === 'number') {
    const items: unknown[] = Array.isArray(body) ? [...body] : []
    items[step] = place(items[step], rest, value)
    return items
  }
  const members = Object.entries(isRecord(body) ? body : {}).filter(([name]) => name !== step)
  // Defined, not set: a name may be that of the prototype.
  return fromEntries([...members, [step, place(isRecord(body) ? body[step] : undefined, rest, value)]])
}

function leaveOut(body: unknown, path: Path): unknown {
  const [step, ...rest] = path
  if (step === undefined || typeof body !== 'object' || body === null) return body
  if (Array.isArray(body)) return body.map((item, at) => (at === step ? leaveOut(item, rest) : item))
  const members = Object.entries(body)
  const kept = rest.length === 0 ? members.filter(([name]) => name !== step) : members
  return fromEntries(kept.map(([name, value]) => [name, name === step ? leaveOut(value, rest) : value]))
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Raw)

function fromEntries(members: readonly (readonly [string, unknown])[]): object {
  const made = {}
  for (const [name, value] of members)
    Object.defineProperty(made, name, { value, enumerable: true, configurable: true, writable: true })
  return made
}

/** As it goes out. */
export function write(value: unknown): string {
  if (value instanceof Raw) return value.text
  if (Array.isArray(value)) return `[${value.map(write).join(',')}]`
  if (isRecord(value)) {
    const members = Object.entries(value).filter(([, member]) => member !== undefined)
    return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${write(member)}`).join(',')}}`
  }
  return JSON.stringify(value) ?? 'null'
}
