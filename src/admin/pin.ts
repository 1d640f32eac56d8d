/** What becomes of approvals when a service is written: which tools are taken as they are, and what is told of the rest. Pure but for digests. */
import type { Result } from '../platform/result.ts'
import { echo } from '../protocol/echo.ts'
import { digestIn, digestsOf } from '../registry/digest.ts'
import type { ServiceConfig, ServiceRecord } from '../registry/image.ts'
import { type Offer, readOffers, toolsOf } from '../registry/offer.ts'
import type { Approval } from '../storage/approvals.ts'
import type { Act } from '../storage/commit.ts'
import type { Offered, ServiceDetails } from '../storage/details.ts'
import type { Discovery } from '../upstream/discovery.ts'
import type { Fault } from '../upstream/fault.ts'

/** Longer names than any client takes; an index would not hold them, so they cannot be approved. */
const MAX_NAME_CHARS = 512
const MAX_TOLD = 100

type Readout = {
  readonly write: Pick<ServiceDetails, 'catalogue' | 'approvals'>
  readonly act: Pick<Act, 'detail'>
}

/** The catalogue to store, what is approved with it, and what is told of it. */
export async function readOffered(
  before: ServiceRecord | undefined,
  config: ServiceConfig,
  discovered: Result<Discovery, Fault>,
): Promise<Readout> {
  const isPinned = beginsPin(before, config)
  const catalogue = discovered.ok ? discovered.value.catalogue : isPinned ? before?.catalogue : undefined
  if (!catalogue) return { write: { catalogue, approvals: [] }, act: {} }
  const offered = { catalogue, digests: await digestsOf(catalogue.tools) }
  const news = newsOf(before, offered)
  return {
    write: { catalogue: offered, approvals: isPinned ? approvalsAtPin(offered) : [] },
    act: Object.keys(news).length > 0 ? { detail: { tools: news } } : {},
  }
}

/** False in rows from before there were digests. */
export const hasDigests = (service: ServiceRecord): boolean =>
  toolsOf(service).every(({ localName }) => digestIn(service.digests, localName) !== undefined)

/** Pinning begins: it was not on before, or there was nothing to pin. */
const beginsPin = (before: ServiceRecord | undefined, config: ServiceConfig): boolean =>
  config.pinDefinitions === true && !(before?.catalogue && before.config.pinDefinitions)

/** When pinning begins the tools are approved as they are; those whose text is not what it seems wait for an operator (S39). */
const approvalsAtPin = ({ catalogue, digests }: Offered): readonly Approval[] =>
  readOffers('tool', catalogue.tools)
    .filter(({ suspicion }) => suspicion === undefined)
    .flatMap((offer) => approvalOf(offer, digests) ?? [])

/** The approval of a tool as it is; `undefined`: it cannot have one. */
export function approvalOf(
  { localName, text }: Offer,
  digests: ServiceRecord['digests'],
): Approval | undefined {
  const digest = digestIn(digests, localName)
  if (digest === undefined || localName.length > MAX_NAME_CHARS) return undefined
  return { tool: localName, digest, definition: text }
}

/** For the audit log: which tools are not what they were, and which are not what they seem. */
function newsOf(before: ServiceRecord | undefined, { catalogue, digests }: Offered): object {
  const suspicious = readOffers('tool', catalogue.tools).flatMap(({ localName, suspicion }) =>
    suspicion === undefined ? [] : [`${echo(localName)}: ${suspicion}`],
  )
  return { ...changesOf(before, digests), ...told({ suspicious }) }
}

function changesOf(before: ServiceRecord | undefined, digests: ServiceRecord['digests']): object {
  if (!before?.catalogue || !hasDigests(before)) return {}
  const [were, are] = [Object.keys(before.digests), Object.keys(digests)]
  return told({
    changed: are.filter(
      (tool) => Object.hasOwn(before.digests, tool) && before.digests[tool] !== digests[tool],
    ),
    added: are.filter((tool) => !Object.hasOwn(before.digests, tool)),
    removed: were.filter((tool) => !Object.hasOwn(digests, tool)),
  })
}

const told = (lists: Readonly<Record<string, readonly string[]>>): object =>
  Object.fromEntries(
    Object.entries(lists)
      .filter(([, names]) => names.length > 0)
      .map(([what, names]) => [what, names.slice(0, MAX_TOLD).map(echo)]),
  )
