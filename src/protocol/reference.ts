/**
 * URIs of resources inside results and notifications, renamed where they stand. Only places where the protocol
 * says that a URI names a resource of the server; text, `structuredContent` and content of unknown types are
 * not looked into. Everything else stays byte for byte, and where no name changes the very same string comes
 * back. A key given twice: the last one counts, as for JSON.parse.
 */
import {
  type Edit,
  elementsOf,
  isArrayAt,
  isObjectAt,
  membersOf,
  replace,
  type Span,
  stringAt,
} from './json.ts'

export type Rename = (uri: string) => string

/** The raw result of `tools/call`, `prompts/get` or `resources/read` under renamed URIs. */
export function renameInResult(result: string, rename: Rename): string {
  const edit = new Editing(result, rename)
  const members = edit.membersAt(edit.root)
  edit.content(members.get('content'))
  for (const message of edit.elementsAt(members.get('messages'))) {
    edit.content(edit.membersAt(message).get('content'))
  }
  for (const contents of edit.elementsAt(members.get('contents'))) edit.uriOf(contents)
  edit.ui(members)
  return edit.done()
}

/** The raw params of a notification: `notifications/resources/updated` names its resource. */
export function renameInParams(params: string, rename: Rename): string {
  const edit = new Editing(params, rename)
  edit.uriOf(edit.root)
  return edit.done()
}

/** A raw tool or resource, or a result, whose user interface (MCP Apps) is a resource. */
export function renameUi(text: string, rename: Rename): string {
  const edit = new Editing(text, rename)
  edit.ui(edit.membersAt(edit.root))
  return edit.done()
}

const NOTHING: ReadonlyMap<string, Span> = new Map()

class Editing {
  readonly root: Span
  readonly #text: string
  readonly #rename: Rename
  readonly #edits: Edit[] = []

  constructor(text: string, rename: Rename) {
    this.#text = text
    this.#rename = rename
    this.root = { start: text.search(/\S/), end: text.length }
  }

  done(): string {
    return replace(this.#text, this.#edits)
  }

  membersAt(span: Span | undefined): ReadonlyMap<string, Span> {
    return span && isObjectAt(this.#text, span) ? membersOf(this.#text, span.start) : NOTHING
  }

  elementsAt(span: Span | undefined): readonly Span[] {
    return span && isArrayAt(this.#text, span) ? elementsOf(this.#text, span.start) : []
  }

  /** One block of content, or a list of them. */
  content(span: Span | undefined): void {
    if (!span) return
    const blocks = isArrayAt(this.#text, span) ? this.elementsAt(span) : [span]
    for (const block of blocks) {
      const members = this.membersAt(block)
      const type = stringAt(this.#text, members.get('type'))
      if (type === 'resource_link') this.#uri(members.get('uri'))
      else if (type === 'resource') this.uriOf(members.get('resource'))
    }
  }

  uriOf(span: Span | undefined): void {
    this.#uri(this.membersAt(span).get('uri'))
  }

  /** `_meta.ui.resourceUri`, and the flat key that came before it. */
  ui(members: ReadonlyMap<string, Span>): void {
    const meta = this.membersAt(members.get('_meta'))
    this.#uri(this.membersAt(meta.get('ui')).get('resourceUri'))
    this.#uri(meta.get('ui/resourceUri'))
  }

  #uri(span: Span | undefined): void {
    const uri = stringAt(this.#text, span)
    if (span === undefined || uri === undefined) return
    const name = this.#rename(uri)
    if (name !== uri) this.#edits.push({ span, text: JSON.stringify(name) })
  }
}
