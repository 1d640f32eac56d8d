/** What is to be done about toolsets. */
import { onlyIf, segment, take } from '../gateway.ts'
import type { ActualToolset } from './actual.ts'
import type { WantedToolset } from './shape.ts'
import { differencesOf, fieldsOf, type Known, type PlanOptions, type Step, surplus } from './step.ts'

export function planToolsets(
  wanted: readonly WantedToolset[],
  actual: Known<ActualToolset>,
  { isPruning }: PlanOptions,
): { readonly changes: Step[]; readonly removals: Step[] } {
  const changes = wanted.flatMap(({ slug, tools: given }) => {
    const tools = [...new Set(given)]
    const known = actual.get(slug)
    return known ? changeOf(slug, tools, known) : [creationOf(slug, tools)]
  })
  const slugs = wanted.map(({ slug }) => slug)
  const removals = surplus(actual, slugs, isPruning).map(([slug, { etag }]): Step => ({
    action: 'remove',
    what: `toolset ${slug}`,
    differences: [],
    missing: [],
    carryOut: async (api) =>
      take(api.toolsets[':slug'].$delete({ param: { slug: segment(slug) } }, onlyIf(etag))),
  }))
  return { changes, removals }
}

const creationOf = (slug: string, tools: string[]): Step => ({
  action: 'create',
  what: `toolset ${slug}`,
  differences: fieldsOf({ tools }),
  missing: [],
  carryOut: async (api) => take(api.toolsets.$post({ json: { slug, tools } })),
})

function changeOf(slug: string, tools: string[], known: ActualToolset): Step[] {
  const differences = differencesOf({ tools }, { tools: known.tools })
  if (differences.length === 0) return []
  return [
    {
      action: 'change',
      what: `toolset ${slug}`,
      differences,
      missing: [],
      carryOut: async (api) =>
        take(
          api.toolsets[':slug'].$put({ param: { slug: segment(slug) }, json: { tools } }, onlyIf(known.etag)),
        ),
    },
  ]
}
