/** Where a request came in, and where it leads. */
import type { Mirror } from '../protocol/mirror.ts'
import type { ServiceRecord, ToolSetting } from './image.ts'

/** Where a request came in: everything, one service under its own names, or a selection of tools. */
export type Endpoint =
  | { readonly is: 'all'; readonly names: 'bare' | 'prefixed' }
  | { readonly is: 'service'; readonly name: string }
  | { readonly is: 'toolset'; readonly slug: string }

/** What a public name means: whose it is, and what its owner calls it. The owner may be disabled. */
export type Target = {
  readonly service: ServiceRecord
  readonly localName: string
  /** Absent: its marks are faulty, so it must not be called in the modern era (S46). */
  readonly mirrors: readonly Mirror[] | undefined
  /** What an operator says of a tool. */
  readonly setting?: ToolSetting | undefined
}

/** Names an endpoint in keys and cursors; no slug begins with `*` or `+`. */
export function keyOf(endpoint: Endpoint): string {
  switch (endpoint.is) {
    case 'all':
      return `*${endpoint.names}`
    case 'service':
      return endpoint.name
    case 'toolset':
      return `+${endpoint.slug}`
  }
}
