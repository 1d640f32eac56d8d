/** Where it is kept who may use which tools, what is said of single tools, and which are offered together. */
import type { VisibilityStore } from '../storage/visibility.ts'
import type { Ledger } from './ledger.ts'

export type Visibility = {
  readonly ledger: Ledger
  readonly store: VisibilityStore
  /** What `cacheTtlSeconds: "default"` means. */
  readonly defaultTtlSeconds: number
}
