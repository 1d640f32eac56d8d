/** Shows operators how the tools of a service differ from what was approved, and takes their approval (S35, S39). */
import type { Background } from '../platform/background.ts'
import { err, ok, type Result } from '../platform/result.ts'
import { echo } from '../protocol/echo.ts'
import { digestIn } from '../registry/digest.ts'
import type { ServiceRecord } from '../registry/image.ts'
import { prefixedName } from '../registry/name.ts'
import { toolsOf } from '../registry/offer.ts'
import type { Approval, ApprovalStore } from '../storage/approvals.ts'
import type { Actor } from '../storage/commit.ts'
import type { Approved } from './api/definitions.ts'
import type { Inspection } from './inspection.ts'
import type { Ledger } from './ledger.ts'
import { approvalOf } from './pin.ts'
import {
  definitionChanged,
  type FieldFault,
  invalidBody,
  type Problem,
  readUnanswered,
  schemaBehind,
} from './problem.ts'

export type ApproverPorts = {
  readonly ledger: Ledger
  readonly store: ApprovalStore
}

export class Approver {
  readonly #ports: ApproverPorts

  constructor(ports: ApproverPorts) {
    this.#ports = ports
  }

  async inspect(idOrName: string, background: Background): Promise<Result<Inspection, Problem>> {
    const found = await this.#ports.ledger.findCommitted(idOrName, background)
    return found.ok ? await this.#look(found.value, background) : found
  }

  /** Approves tools as they are stored; where somebody read them otherwise, none. */
  async approve(
    idOrName: string,
    body: Approved,
    actor: Actor,
    background: Background,
  ): Promise<Result<Inspection, Problem>> {
    const found = await this.#ports.ledger.findCommitted(idOrName, background)
    if (!found.ok) return found
    const service = found.value
    const approvals = approvalsIn(service, body)
    if (!approvals.ok) return approvals
    if (approvals.value.length === 0) return await this.#look(service, background)
    const act = {
      actor,
      action: 'definition.approve',
      target: service.name,
      detail: { tools: approvals.value.map(({ tool }) => echo(tool)) },
    }
    const stored = this.#ports.store.write(service.id, approvals.value, act)
    const written = await this.#ports.ledger.commitService(stored, service.name, background)
    return written.ok ? await this.#look(written.value, background) : written
  }

  async #look(service: ServiceRecord, background: Background): Promise<Result<Inspection, Problem>> {
    const snapshot = await this.#ports.ledger.read(background)
    if (!snapshot.ok) return snapshot
    const approved = await this.#ports.store.read(service.id)
    if (!approved.ok) return err(approved.error.why === 'schema' ? schemaBehind : readUnanswered)
    const others = namesOf(snapshot.value.image.services.filter(({ id }) => id !== service.id))
    return ok({ service, approved: approved.value, others })
  }
}

/** Those that are not approved as they are, of those that are meant. */
function approvalsIn(
  service: ServiceRecord,
  { tools = [], digests = {} }: Approved,
): Result<readonly Approval[], Problem> {
  const offers = new Map(toolsOf(service).map((offer) => [offer.localName, offer]))
  const named = [...new Set([...tools, ...Object.keys(digests)])]
  const changed = named.filter((tool) => {
    const read = digestIn(digests, tool)
    return offers.has(tool) && read !== undefined && read !== digestIn(service.digests, tool)
  })
  if (changed.length > 0) return err(definitionChanged(service.name, changed.map(echo)))
  const faults: FieldFault[] = []
  const approvals: Approval[] = []
  for (const tool of named.length > 0 ? named : offers.keys()) {
    const offer = offers.get(tool)
    const approval = offer && approvalOf(offer, service.digests)
    if (approval && approval.digest !== digestIn(service.approved, tool)) approvals.push(approval)
    else if (!approval && named.length > 0)
      faults.push({ field: 'tools', message: `'${echo(tool)}' is no tool that '${service.name}' has now` })
  }
  return faults.length > 0 ? err(invalidBody(faults)) : ok(approvals)
}

/** By which callers may know their tools. */
const namesOf = (services: readonly ServiceRecord[]): ReadonlySet<string> =>
  new Set(
    services.flatMap((service) =>
      toolsOf(service).flatMap(({ localName }) => [localName, prefixedName(service.name, localName)]),
    ),
  )
