/** Document 003, "Instance Management": instances of a service come and go one by one, and the service with them. */
import { type Context, Hono } from 'hono'
import type { Background } from '../../platform/background.ts'
import { ok, err, type Result } from '../../platform/result.ts'
import type { ServiceInstance, ServiceRecord } from '../../registry/image.ts'
import { instancesOf } from '../../registry/instance.ts'
import { checkAddress } from '../../upstream/address.ts'
import { json } from '../answer.ts'
import * as api from '../api/older.ts'
import type { Change } from '../api/service.ts'
import { readBody } from '../body.ts'
import type { AdminEnv } from '../env.ts'
import { givenBy, unknownInstance } from '../instances.ts'
import type { Found } from '../ledger.ts'
import { mount } from '../operation.ts'
import { invalidBody, type Problem, respondWithProblem } from '../problem.ts'
import type { Registrar } from '../registrar.ts'
import type { ServicePorts } from '../services.ts'
import { tagOf } from '../view.ts'

/** Who does something to the registry of an organisation. */
type Hand = { readonly registrar: Registrar; readonly actor: string; readonly background: Background }

type Given = { readonly name: string; readonly endpoint: string; readonly weight: number | undefined }

type Registered = { readonly instance: ServiceInstance; readonly isNew: boolean }

export function instanceRoutes({ registrarOf }: ServicePorts): Hono<AdminEnv> {
  const handOf = (c: Context<AdminEnv>): Hand => {
    const { organisationId, subject } = c.get('principal')
    return { registrar: registrarOf(organisationId), actor: subject, background: c.get('background') }
  }
  const routes = new Hono<AdminEnv>()
  mount(routes, api.registerInstance, async (c) => {
    const body = await readBody(c.req.raw, api.registerInstance.body)
    if (!body.ok) return respondWithProblem(body.error)
    const registered = await register(body.value, handOf(c))
    if (!registered.ok) return respondWithProblem(inItsWords(registered.error))
    const { instance, isNew } = registered.value
    return json(viewInstance(body.value.name, instance), isNew ? 201 : 200)
  })
  mount(routes, api.deregisterInstance, async (c) => {
    const [template = '', instanceId = ''] = [c.req.param('template'), c.req.param('instanceId')]
    const gone = await deregister(template, instanceId, handOf(c))
    return gone.ok ? json(viewGone(template, instanceId)) : respondWithProblem(gone.error)
  })
  return routes
}

/** Of a service that there is not, this is the first. One that is there already stays, or takes its new weight. */
async function register(given: Given, hand: Hand): Promise<Result<Registered, Problem>> {
  const { registrar, actor, background } = hand
  const { name, endpoint } = given
  const found = await registrar.ledger.findCommitted(name, background)
  if (!found.ok) return found.error.status === 404 ? await registerFirst(given, hand) : found
  const known = instanceAt(endpoint, found.value)
  const weight = given.weight ?? known?.weight ?? 1
  if (known?.weight === weight) return ok({ instance: known, isNew: false })
  const wanted = (service: ServiceRecord): Result<Change, Problem> => {
    const others = service.instances.filter(({ url }) => url !== instanceAt(endpoint, service)?.url)
    return ok({ instances: [...others.map(givenBy), { url: endpoint, weight }] })
  }
  const changed = await registrar.change(name, wanted, actor, background)
  if (!changed.ok) return changed
  const instance = instanceAt(endpoint, changed.value)
  return instance ? ok({ instance, isNew: !known }) : err(unknownInstance(changed.value, endpoint))
}

async function registerFirst(
  { name, endpoint, weight }: Given,
  { registrar, actor, background }: Hand,
): Promise<Result<Registered, Problem>> {
  const instances = weight === undefined ? {} : { instances: [{ url: endpoint, weight }] }
  const registered = await registrar.register({ name, url: endpoint, ...instances }, actor, background)
  return registered.ok ? ok({ instance: instancesOf(registered.value)[0], isNew: true }) : registered
}

/** A service goes with its last instance, unless another came meanwhile. */
async function deregister(
  template: string,
  instanceId: string,
  { registrar, actor, background }: Hand,
): Promise<Found> {
  const found = await registrar.ledger.findCommitted(template, background)
  if (!found.ok) return found
  const [first, ...others] = instancesOf(found.value)
  return others.length === 0 && first.id === instanceId
    ? await registrar.remove(template, actor, background, new Set([tagOf(found.value)]))
    : await registrar.change(template, (service) => without(instanceId, service), actor, background)
}

/** Where the service's own address goes, the next one takes its place. */
function without(instanceId: string, service: ServiceRecord): Result<Change, Problem> {
  const all = instancesOf(service)
  const gone = all.find(({ id }) => id === instanceId)
  if (!gone) return err(unknownInstance(service, instanceId))
  const next = all.find((instance) => instance !== gone)
  const instances = service.instances.filter(({ url }) => url !== gone.url).map(givenBy)
  return ok(next && gone.url === service.url ? { url: next.url, instances } : { instances })
}

/** The policy of addresses is asked where one is stored; here they are only compared. */
const ANY = { allowPrivate: true, ownHosts: [] } as const

function instanceAt(endpoint: string, service: ServiceRecord): ServiceInstance | undefined {
  const address = checkAddress(endpoint, ANY)
  return instancesOf(service).find(({ url }) => address.ok && url === address.value.href)
}

/** What is said of an address is said of the field that gave it. */
function inItsWords(problem: Problem): Problem {
  const errors = problem.errors?.map(({ field, message }) => ({
    field: /(^|\.)url$/.test(field) ? 'endpoint' : field,
    message,
  }))
  if (!errors) return problem
  return problem.code === 'invalid_body' ? invalidBody(errors) : { ...problem, errors }
}

const viewInstance = (template: string, { id, url, weight }: ServiceInstance): string =>
  JSON.stringify({
    instanceId: id,
    instance_id: id,
    template,
    template_name: template,
    endpoint: url,
    weight,
  })

const viewGone = (template: string, instanceId: string): string =>
  JSON.stringify({
    success: true,
    message: `Deregistered instance ${instanceId} from template ${template}`,
    template,
    instanceId,
  })
