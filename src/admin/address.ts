/** Addresses that operators give: what is said of those that may not be called, and of those whose names lead astray. */
import { err, ok, type Result } from '../platform/result.ts'
import type { AddressRefusal } from '../upstream/address.ts'
import { type Finding, type Hosts, hostOf } from '../upstream/hosts.ts'
import { invalidBody, type Problem } from './problem.ts'

/** An address under the policy, and the field of the body that gave it. */
export type Place = { readonly field: string; readonly url: string }

/** An address that cannot be read is a bad field; one that may not be called is a refusal (S01–S05). */
export function addressRefused(field: string, refusal: AddressRefusal): Problem {
  if (refusal.reason === 'unparsable') return invalidBody([{ field, message: refusal.detail }])
  return {
    status: 422,
    code: 'upstream_address_refused',
    title: 'Upstream address refused',
    detail: refusal.detail,
    errors: [{ field, message: refusal.detail }],
    reason: refusal.reason,
  }
}

/**
 * Refuses names that lead to private addresses (S08, S09). Where the resolver is away, new addresses are refused for
 * now, and those that were let in before go by the last verdict.
 */
export async function checkPlaces(
  places: readonly Place[],
  hosts: Pick<Hosts, 'examine'>,
  areNew: boolean,
): Promise<Result<void, Problem>> {
  const byHost = Map.groupBy(places, ({ url }) => hostOf(url))
  const found = await Promise.all(
    [...byHost.values()].flatMap(([place]) => (place ? [look(place, hosts)] : [])),
  )
  const named = (wanted: Finding): Place | undefined => found.find(({ finding }) => finding === wanted)?.place
  const astray = named('private')
  if (astray) {
    const detail = `host '${hostOf(astray.url)}' resolves to an address that is not public`
    return err(addressRefused(astray.field, { reason: 'address', detail }))
  }
  const unknown = areNew ? named('unknown') : undefined
  return unknown ? err(resolverAway(unknown)) : ok(undefined)
}

const look = async (place: Place, hosts: Pick<Hosts, 'examine'>) => ({
  place,
  finding: await hosts.examine(place.url),
})

const resolverAway = ({ field, url }: Place): Problem => ({
  status: 503,
  code: 'resolver_unavailable',
  title: 'Name resolver unavailable',
  detail: `Where '${hostOf(url)}' leads cannot be looked up now (setting DOH_URL), nothing was changed. Try again in a moment.`,
  errors: [{ field, message: 'cannot be looked up now' }],
})
