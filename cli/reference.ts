/** References to the environment in files: `${NAME}`. Secrets stand there and nowhere else. Pure. */
import type { Environment } from './gateway.ts'

const REFERENCE = /\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g

/** Where in a value which variable was wanted and not set. */
export type Missing = { readonly path: readonly string[]; readonly name: string }

export type Resolved = { readonly value: unknown; readonly missing: readonly Missing[] }

/** The value with every reference replaced that can be; the others stay as they are, and so does what is kept. */
export function resolveReferences(
  value: unknown,
  env: Environment,
  isKept: (path: readonly string[]) => boolean = () => false,
  path: readonly string[] = [],
): Resolved {
  if (isKept(path)) return { value, missing: [] }
  if (typeof value === 'string') return resolveText(value, env, path)
  if (typeof value !== 'object' || value === null) return { value, missing: [] }
  const members = Object.entries(value).map(
    ([key, member]) => [key, resolveReferences(member, env, isKept, [...path, key])] as const,
  )
  const missing = members.flatMap(([, resolved]) => resolved.missing)
  const values = members.map(([key, resolved]) => [key, resolved.value] as const)
  return Array.isArray(value)
    ? { value: values.map(([, item]) => item), missing }
    : { value: Object.fromEntries(values), missing }
}

function resolveText(text: string, env: Environment, path: readonly string[]): Resolved {
  const missing: Missing[] = []
  const value = text.replace(REFERENCE, (reference, name: string) => {
    const found = env[name]
    if (found === undefined) missing.push({ path, name })
    return found ?? reference
  })
  return { value, missing }
}

/** Whether all of it comes from the environment, but for words such as `Bearer `. */
export const isReference = (text: string): boolean => /^([A-Za-z]+ )?\$\{[A-Za-z_][A-Za-z0-9_]*\}$/.test(text)
