/** The events of one legacy session, kept so that a client can take up a stream again (2025-11-25, "Resumability"). */
import type { EventStore, JSONRPCMessage } from '@modelcontextprotocol/server'

type Kept = { readonly streamId: string; readonly message: JSONRPCMessage }

export class SessionEvents implements EventStore {
  readonly #kept: Kept[] = []

  async storeEvent(streamId: string, message: JSONRPCMessage): Promise<string> {
    return String(this.#kept.push({ streamId, message }))
  }

  async getStreamIdForEventId(eventId: string): Promise<string | undefined> {
    return this.#kept[Number(eventId) - 1]?.streamId
  }

  async replayEventsAfter(
    lastEventId: string,
    { send }: { send: (eventId: string, message: JSONRPCMessage) => Promise<void> },
  ): Promise<string> {
    const last = Number(lastEventId)
    const streamId = this.#kept[last - 1]?.streamId ?? ''
    for (const [index, event] of this.#kept.entries()) {
      // The event that opens a stream holds no message.
      const isMissed = index >= last && event.streamId === streamId && 'jsonrpc' in event.message
      if (isMissed) await send(String(index + 1), event.message)
    }
    return streamId
  }
}
