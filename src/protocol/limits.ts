/** Default limits of everything that comes in or back (reliability.md, section 3). */
export const LIMITS = {
  bodyBytes: 1_048_576,
  bodyTimeoutMs: 10_000,
  /** Bodies up to this declared size are awaited without a timer. */
  untimedBodyBytes: 65_536,
  authorizationChars: 8_192,
  jsonDepth: 64,
  jsonNodes: 20_000,
  idChars: 256,
  echoChars: 128,
  answerBytes: 8_388_608,
  /** Up to this size a JSON answer of declared length is read and checked whole before a byte is passed on. */
  checkedAnswerBytes: 65_536,
  eventBytes: 1_048_576,
  /** Silence on a stream, comments included, after which it is given up. */
  streamIdleMs: 30_000,
  /** A call answered by a stream, whatever is sent on it. */
  streamTotalMs: 120_000,
  /** One request of discovery or of the handshake with an upstream. */
  handshakeTimeoutMs: 10_000,
  cataloguePages: 50,
  catalogueItems: 1_000,
  listPageItems: 1_000,
} as const
