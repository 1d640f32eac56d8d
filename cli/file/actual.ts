/** What a gateway is at the moment, as far as a file can say it. */
import type { ClientResponse } from 'hono/client'
import { type Api, segment, take, takeAll } from '../gateway.ts'
import { ruleName } from './permissions.ts'
import type { WantedPermission } from './shape.ts'
import type { Known } from './step.ts'

type Served<Asked> = Asked extends Promise<ClientResponse<infer T>> ? T : never
type Whole = Served<ReturnType<Api['servers'][':id']['$get']>>
type ListedUser = Served<ReturnType<Api['users']['$get']>>['items'][number]
type ListedTool = Served<ReturnType<Api['tools']['$get']>>['items'][number]

export type ActualService = { readonly row: Whole; readonly etag: string }
export type ActualTool = {
  readonly service: string
  readonly tool: string
  /** Those that are set. */
  readonly settings: Readonly<Record<string, unknown>>
  /** What callers read of it, whoever wrote that. */
  readonly description?: unknown
  readonly etag: string
}
export type ActualToolset = { readonly tools: readonly string[]; readonly etag: string }
/** One tag for all of them. */
export type ActualRules = { readonly rules: Known<WantedPermission>; readonly etag: string }
export type ActualUser = { readonly row: ListedUser; readonly etag: string }

export type Actual = {
  readonly services: Known<ActualService>
  readonly tools: Known<ActualTool>
  readonly toolsets: Known<ActualToolset>
  readonly permissions: ActualRules
  readonly users: Known<ActualUser>
}

export type Section = keyof Actual

/** What is asked for: whoever may not read users can still apply services. */
export type Scope = {
  readonly sections: ReadonlySet<Section>
  /** `tools a/b`, `users alice`: those of which the ETag is wanted, too. There may be many others. */
  readonly named: ReadonlySet<string>
}

const AT_ONCE = 4

/** As an ETag: whatever there is. */
const ANY = '*'

export async function readActual(api: Api, { sections, named }: Scope): Promise<Actual> {
  const isWanted = (section: Section): boolean => sections.has(section)
  const services = isWanted('services') || isWanted('tools') ? await readServices(api) : new Map()
  return {
    services,
    tools: isWanted('tools') ? await readTools(api, services, named) : new Map(),
    toolsets: isWanted('toolsets') ? await readToolsets(api) : new Map(),
    permissions: isWanted('permissions') ? await readPermissions(api) : { rules: new Map(), etag: ANY },
    users: isWanted('users') ? await readUsers(api, named) : new Map(),
  }
}

/** Each by itself, since only then its ETag is told. */
async function readServices(api: Api): Promise<Known<ActualService>> {
  const { value } = await takeAll((query) => api.servers.$get({ query }))
  const read = await eachOf(value, async ({ name }) => {
    const shown = await take(api.servers[':id'].$get({ param: { id: segment(name) } }))
    return [name, { row: shown.value, etag: shown.etag ?? ANY }] as const
  })
  return new Map(read)
}

async function readTools(
  api: Api,
  services: Known<ActualService>,
  named: Scope['named'],
): Promise<Known<ActualTool>> {
  const { value } = await takeAll((query) => api.tools.$get({ query }))
  const read = await eachOf(value, async (listed) => {
    const { service, tool } = listed
    const name = `${service}/${tool}`
    const settings = settingsOf(listed, services.get(service))
    const isConcerned = named.has(`tools ${name}`) || Object.keys(settings).length > 0
    const param = { service: segment(service), tool: segment(tool) }
    const shown = isConcerned ? await take(api.tools[':service'][':tool'].$get({ param })) : undefined
    const { description } = listed
    return [name, { service, tool, settings, description, etag: shown?.etag ?? ANY }] as const
  })
  return new Map(read)
}

/** A description counts as set where it is not what the service itself says. */
function settingsOf(listed: ListedTool, service: ActualService | undefined): Record<string, unknown> {
  const { isEnabled, cacheTtlSeconds, cacheScope, timeoutMs, alias, description } = listed
  const said = service?.row.tools.find(({ name }) => name === listed.tool)?.['description']
  const settings = {
    isEnabled: isEnabled ? undefined : false,
    cacheTtlSeconds,
    cacheScope,
    timeoutMs,
    alias,
    description: description === said ? undefined : description,
  }
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined))
}

async function readToolsets(api: Api): Promise<Known<ActualToolset>> {
  const { value } = await takeAll((query) => api.toolsets.$get({ query }))
  const read = await eachOf(value, async ({ slug }) => {
    const shown = await take(api.toolsets[':slug'].$get({ param: { slug: segment(slug) } }))
    return [slug, { tools: shown.value.tools, etag: shown.etag ?? ANY }] as const
  })
  return new Map(read)
}

async function readPermissions(api: Api): Promise<ActualRules> {
  const { value, etag = ANY } = await takeAll((query) => api.permissions.$get({ query }))
  return { rules: new Map(value.map((rule) => [ruleName(rule), rule])), etag }
}

async function readUsers(api: Api, named: Scope['named']): Promise<Known<ActualUser>> {
  const { value } = await takeAll((query) => api.users.$get({ query }))
  const read = await eachOf(value, async (row) => {
    const param = { id: segment(row.id) }
    const shown = named.has(`users ${row.username}`)
      ? await take(api.users[':id'].$get({ param }))
      : undefined
    return [row.username, { row, etag: shown?.etag ?? ANY }] as const
  })
  return new Map(read)
}

/** A few at a time, in order. */
async function eachOf<Item, Read>(
  items: readonly Item[],
  read: (item: Item) => Promise<Read>,
): Promise<readonly Read[]> {
  const done: Read[] = []
  for (let at = 0; at < items.length; at += AT_ONCE)
    done.push(...(await Promise.all(items.slice(at, at + AT_ONCE).map(read))))
  return done
}
