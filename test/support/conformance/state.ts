/** What all servers of one fixture share: the seal of request states, and the lists that tools can change. */
import { createRequestStateCodec, type RequestStateCodec } from '@modelcontextprotocol/server'

export type States = RequestStateCodec<Readonly<Record<string, unknown>>>

/** Kinds of lists that a tool can change, and how often each was. */
export type Revisions = { tools: number; prompts: number }

export type Shared = {
  readonly states: States
  readonly revisions: Revisions
  /** Tells every modern listener that this list is another now. */
  readonly announce: (list: keyof Revisions) => void
}

export const createStates = (): States =>
  createRequestStateCodec({ key: crypto.getRandomValues(new Uint8Array(32)) })
