/** The tools of a service beside what was approved of them, as JSON text. What is hidden in them is shown as escapes. */
import { writeObject } from '../protocol/json.ts'
import { type Difference, differencesBetween } from '../registry/difference.ts'
import { digestIn } from '../registry/digest.ts'
import { flagsOf } from '../registry/flag.ts'
import { showHidden } from '../registry/hidden.ts'
import type { ServiceRecord } from '../registry/image.ts'
import { type Offer, toolsOf } from '../registry/offer.ts'
import { withheldTools } from '../registry/withhold.ts'
import type { ApprovedTool } from '../storage/approvals.ts'

export type Inspection = {
  readonly service: ServiceRecord
  readonly approved: readonly ApprovedTool[]
  /** Names of the tools of other services. */
  readonly others: ReadonlySet<string>
}

type Members = (readonly [key: string, raw: string])[]

/** Longer values are told by their beginning. */
const MAX_VALUE_CHARS = 4_000

export function viewInspection({ service, approved, others }: Inspection): string {
  const offers = toolsOf(service)
  const approvals = new Map(approved.map((each) => [each.tool, each]))
  const present = new Set(offers.map(({ localName }) => localName))
  const tools = [
    ...offers.map((offer) => viewTool(service, offer, approvals.get(offer.localName), others)),
    ...approved.filter(({ tool }) => !present.has(tool)).map(viewMissing),
  ]
  return writeObject([
    ['name', JSON.stringify(service.name)],
    ['pinDefinitions', String(service.config.pinDefinitions === true)],
    ['tools', `[${tools.join(',')}]`],
  ])
}

function viewTool(
  service: ServiceRecord,
  { localName, text, suspicion }: Offer,
  approved: ApprovedTool | undefined,
  others: ReadonlySet<string>,
): string {
  const digest = digestIn(service.digests, localName)
  const status = !approved ? 'new' : approved.digest === digest ? 'approved' : 'changed'
  const differences = approved && status === 'changed' ? differencesBetween(approved.definition, text) : []
  return writeObject([
    ['tool', JSON.stringify(localName)],
    ['status', JSON.stringify(status)],
    ['isWithheld', String(withheldTools(service).has(localName))],
    ...(suspicion === undefined ? [] : ([['reason', JSON.stringify(suspicion)]] as const)),
    ['flags', JSON.stringify(flagsOf(text, others))],
    ...(status === 'changed'
      ? ([['differences', `[${differences.map(viewDifference).join(',')}]`]] as const)
      : []),
    ['digest', JSON.stringify(digest ?? null)],
    ...approvalMembers(approved),
    ...(status === 'approved' ? [] : ([['definition', showHidden(text)]] as const)),
  ])
}

const viewMissing = (approved: ApprovedTool): string =>
  writeObject([
    ['tool', JSON.stringify(approved.tool)],
    ['status', '"missing"'],
    ...approvalMembers(approved),
  ])

const approvalMembers = (approved: ApprovedTool | undefined): Members =>
  approved
    ? [
        ['approvedDigest', JSON.stringify(approved.digest)],
        ['approvedBy', JSON.stringify(approved.approvedBy)],
        ['approvedAt', JSON.stringify(approved.approvedAt)],
      ]
    : [['approvedDigest', 'null']]

function viewDifference({ path, before, after }: Difference): string {
  const members: Members = [['path', JSON.stringify(path)]]
  for (const [key, raw] of [
    ['before', before],
    ['after', after],
  ] as const) {
    if (raw !== undefined) members.push([key, showHidden(bounded(raw))])
  }
  return writeObject(members)
}

/** Raw JSON; one that is too long as a string that begins as it does. */
const bounded = (raw: string): string =>
  raw.length <= MAX_VALUE_CHARS ? raw : JSON.stringify(`${raw.slice(0, MAX_VALUE_CHARS).toWellFormed()} […]`)
