/** Where a request came in, and where it leads. */
import type { Mirror } from '../protocol/mirror.ts'
import type { ServiceRecord } from './image.ts'

/** Where a request came in: everything, or one service under its own names. */
export type Endpoint =
  | { readonly is: 'all'; readonly names: 'bare' | 'prefixed' }
  | { readonly is: 'service'; readonly name: string }

/** What a public name means: whose it is, and what its owner calls it. The owner may be disabled. */
export type Target = {
  readonly service: ServiceRecord
  readonly localName: string
  /** Absent: its marks are faulty, so it must not be called in the modern era (S46). */
  readonly mirrors: readonly Mirror[] | undefined
}

/** Names an endpoint in keys and cursors; no slug begins with `*`. */
export const keyOf = (endpoint: Endpoint): string =>
  endpoint.is === 'all' ? `*${endpoint.names}` : endpoint.name
