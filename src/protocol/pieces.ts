/** A body in pieces, as they come: for what must be heard before it is over. */
const FIRST_BYTES = 4_096
const MOST_BYTES = 65_536

/** Reads as any reader does; but a reading costs more than what it brings, and so more is taken of what brings more. */
export class PieceReader {
  readonly #reader: ReadableStreamBYOBReader | ReadableStreamDefaultReader<Uint8Array>
  #bytes = FIRST_BYTES

  constructor(body: ReadableStream<Uint8Array>) {
    this.#reader = readerOf(body)
  }

  async read(): Promise<ReadableStreamReadResult<Uint8Array>> {
    if (this.#reader instanceof ReadableStreamDefaultReader) return await this.#reader.read()
    const piece = await this.#reader.read(new Uint8Array(this.#bytes))
    if (piece.value?.length === this.#bytes) this.#bytes = Math.min(4 * this.#bytes, MOST_BYTES)
    return piece
  }

  cancel(): Promise<void> {
    return this.#reader.cancel()
  }
}

/** Streams of our own are none of bytes: they come in the pieces that they were written in. */
function readerOf(body: ReadableStream<Uint8Array>) {
  try {
    return body.getReader({ mode: 'byob' })
  } catch {
    return body.getReader()
  }
}
