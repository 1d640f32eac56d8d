/** What is looked up in an image by name; the same for all of its views. */
import type { RegistryImage, ServiceRecord, Toolset } from './image.ts'
import { type NamedKind, NameTable } from './names.ts'
import { UriTable } from './uris.ts'

export type Tables = {
  /** By slug. */
  readonly services: ReadonlyMap<string, ServiceRecord>
  readonly servicesById: ReadonlyMap<string, ServiceRecord>
  /** By slug. */
  readonly toolsets: ReadonlyMap<string, Toolset>
  readonly names: Readonly<Record<NamedKind, NameTable>>
  readonly uris: UriTable
}

export const tablesOf = (image: RegistryImage): Tables => ({
  services: new Map(image.services.map((service) => [service.name, service])),
  servicesById: new Map(image.services.map((service) => [service.id, service])),
  toolsets: new Map(image.toolsets.map((toolset) => [toolset.slug, toolset])),
  names: { tool: new NameTable('tool', image), prompt: new NameTable('prompt', image) },
  uris: new UriTable(image),
})
