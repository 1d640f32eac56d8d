/** One way to make the same call, whose cost is compared with that of others. */
import type { Shot } from '../load/plan.ts'

export type Kind = { readonly name: string; readonly shot: Shot }

/** The first is the one with which the others are compared. */
export type Group = {
  readonly name: string
  readonly kinds: readonly Kind[]
  /** What any of them may cost more than the first; absent: told, and no more. */
  readonly mostAddedUs?: number
}
