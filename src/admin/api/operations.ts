/** Every operation of the management API. Its key here is its `operationId`. */
import * as analytics from './analytics.ts'
import * as audit from './audit.ts'
import * as auth from './auth.ts'
import * as cache from './cache.ts'
import * as definitions from './definitions.ts'
import * as health from './health.ts'
import * as keys from './keys.ts'
import * as monitor from './monitor.ts'
import * as organisations from './organisations.ts'
import * as permissions from './permissions.ts'
import * as older from './older.ts'
import * as servers from './servers.ts'
import * as tools from './tools.ts'
import * as toolsets from './toolsets.ts'
import * as users from './users.ts'

export const operations = {
  ...servers,
  ...definitions,
  ...tools,
  ...cache,
  ...permissions,
  ...toolsets,
  ...users,
  ...auth,
  ...keys,
  ...organisations,
  ...analytics,
  ...audit,
  ...health,
  ...monitor,
  ...older,
} as const
