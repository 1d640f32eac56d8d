/** Where a name leads, asked by DNS over HTTPS in its JSON form. */
import { type Deadline, timed } from '../platform/deadline.ts'
import { err, ok, type Result } from '../platform/result.ts'
import { discard, send } from './send.ts'

/** All addresses of a name, none where there is no such name; `away`: nobody could be asked, or not all was told. */
export type Resolver = (host: string) => Promise<Result<readonly string[], 'away'>>

/** Both questions together. Away → `unknown`: a registration is refused, a call goes by the last verdict. */
export const resolverPolicy = { budgetMs: 2_000 } as const

type Kind = { readonly name: string; readonly code: number }

const KINDS: readonly Kind[] = [
  { name: 'A', code: 1 },
  { name: 'AAAA', code: 28 },
]
const NO_ERROR = 0
const NO_SUCH_NAME = 3

export function openResolver(url: URL): Resolver {
  return async (host) => {
    const asked = await timed(resolverPolicy.budgetMs, (deadline) =>
      Promise.all(KINDS.map((kind) => ask(url, host, kind, deadline))),
    )
    const told = asked.filter((addresses) => addresses !== undefined)
    // Half an answer could leave out the half that matters.
    return told.length === KINDS.length ? ok(told.flat()) : err('away')
  }
}

async function ask(
  url: URL,
  host: string,
  kind: Kind,
  deadline: Deadline,
): Promise<readonly string[] | undefined> {
  const question = new URL(url)
  question.searchParams.set('name', host)
  question.searchParams.set('type', kind.name)
  const headers = new Headers({ accept: 'application/dns-json' })
  const sent = await send({ method: 'GET', url: question.href, headers }, deadline)
  if (!sent.ok) return undefined
  if (!sent.value.ok) {
    discard(sent.value)
    return undefined
  }
  try {
    return readAddresses(await sent.value.text(), kind)
  } catch {
    return undefined
  }
}

/** Aliases on the way are named among the answers; only addresses count. Throws on what is no such answer. */
function readAddresses(text: string, { code }: Kind): readonly string[] | undefined {
  const { Status, Answer = [] } = JSON.parse(text) as {
    readonly Status?: number
    readonly Answer?: readonly { readonly type?: number; readonly data?: unknown }[]
  }
  if (Status !== NO_ERROR && Status !== NO_SUCH_NAME) return undefined
  return Answer.filter(({ type }) => type === code).map(({ data }) => String(data))
}
