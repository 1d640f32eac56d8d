/** The registry of one organisation as this isolate sees it: a snapshot in memory, never older than it says. */
import type { Clock } from '../platform/clock.ts'
import { Replica, type ReplicaSource } from '../platform/replica.ts'
import type { RegistryImage } from './image.ts'
import { Snapshot } from './snapshot.ts'

/** A catalogue older than this without a successful look is served no more; one with rules of who may see what, sooner (F53). */
export const USELESS_AFTER_MS = { catalogue: 600_000, rules: 60_000 } as const

export class Registry extends Replica<RegistryImage, Snapshot> {
  constructor(source: ReplicaSource<RegistryImage>, clock: Clock) {
    const uselessAfterMs = ({ image }: Snapshot): number =>
      image.permissions.length > 0 ? USELESS_AFTER_MS.rules : USELESS_AFTER_MS.catalogue
    super(source, { open: (image) => new Snapshot(image), uselessAfterMs }, clock)
  }
}
