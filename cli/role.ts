/** Roles as flags have them. */
import { misuse } from './failure.ts'

export function readRole(text: string): 'admin' | 'user' {
  if (text === 'admin' || text === 'user') return text
  throw misuse(`--role must be admin or user, not '${text}'.`)
}
