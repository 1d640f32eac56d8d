/** What the gateway remembers by, opened. */
import { Directory, DIRECTORY_USELESS_AFTER_MS, type DirectoryImage } from './identity/directory.ts'
import { Replica } from './platform/replica.ts'
import { type Clock } from './platform/clock.ts'
import { type Settings } from './platform/settings.ts'
import { type Database, databasePolicy, openDatabase } from './storage/database.ts'
import { Patience } from './storage/patience.ts'
import { directoryLoader } from './storage/directory.ts'
import { DIRECTORY_PLACE, Publication } from './storage/publication.ts'
import { QuickStore } from './storage/quick.ts'
import { Sealer } from './platform/seal.ts'
import { StoredSource } from './storage/source.ts'
import { type Log } from './telemetry/log.ts'

export type Stores = {
  /** For what a caller may wait for. */
  readonly reads: Database
  readonly writes: Database
  readonly patience: Patience
  readonly quick: QuickStore
  readonly sealers: { readonly image: Sealer; readonly credential: Sealer; readonly result: Sealer }
}

export function openStores(settings: Settings, clock: Clock, log: Log): Stores {
  return {
    reads: openDatabase(settings.databaseUrl.reveal(), databasePolicy.readBudgetMs),
    writes: openDatabase(settings.databaseUrl.reveal(), databasePolicy.writeBudgetMs),
    patience: new Patience({ clock, random: Math.random, log }),
    quick: new QuickStore(settings.redisUrl, settings.redisToken.reveal(), clock),
    sealers: {
      image: new Sealer(settings.encryptionKey, 'image'),
      credential: new Sealer(settings.encryptionKey, 'credential'),
      result: new Sealer(settings.encryptionKey, 'result'),
    },
  }
}

/** Who there is, over all organisations, as this isolate knows it. */
export function openDirectory({ reads, patience, quick, sealers }: Stores, clock: Clock) {
  const publication = new Publication<DirectoryImage>(quick, sealers.image, DIRECTORY_PLACE)
  const source = new StoredSource(reads, patience, publication, directoryLoader)
  const options = {
    open: (image: DirectoryImage) => new Directory(image),
    uselessAfterMs: () => DIRECTORY_USELESS_AFTER_MS,
  }
  return new Replica(source, options, clock)
}
