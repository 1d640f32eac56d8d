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
  /** What a request to a modern upstream repeats in headers. */
  repeatedChars: 8_192,
  answerBytes: 8_388_608,
  /** Up to this size a JSON answer of declared length is read and checked whole before a byte is passed on. */
  checkedAnswerBytes: 65_536,
  eventBytes: 1_048_576,
  /** Texts up to this size are not counted. */
  uncountedBytes: 65_536,
  /** What all others may take in the memory of one isolate at once (F67). */
  memoryBytes: 67_108_864,
  /** What a byte of text takes while it is read, decoded, edited and sent. Measured: test/load/memory.test.ts. */
  memoryPerByte: 4,
  /** Silence on a stream, comments included, after which it is given up; of a call, the timeout of its service. */
  streamIdleMs: 30_000,
  /** A call answered by a stream, whatever is sent on it. */
  streamTotalMs: 120_000,
  /** How long a call may wait for what it asked of its caller. */
  inputWaitMs: 600_000,
  /** Before a broken stream is resumed: where the upstream names no time, and at most. */
  retryMs: 1_000,
  /** An upstream that ends its streams at once is not asked again at once. */
  minRetryMs: 250,
  maxRetryMs: 10_000,
  /** Silence on a stream to a caller after which it is told that the gateway is still there. */
  keepAliveMs: 15_000,
  /** What waits at most for a caller that listens. */
  unreadBytes: 262_144,
  /** A caller that reads nothing of its stream for so long is let go (F40). */
  writeIdleMs: 30_000,
  /** A listening stream is ended after this; its client opens another. */
  listenTotalMs: 3_600_000,
  /** Between two looks at the registry while a caller listens. */
  listenLookMs: 500,
  /** How long an acknowledgement waits for the upstreams that it names. */
  listenOpenMs: 300,
  /** How long a call waits until what its upstream asks on the session's listening stream can be heard. */
  hearMs: 2_000,
  /** Resources, and tasks, that one stream can be about. */
  listenNames: 100,
  /** A service is heard for so long after the last sign that anybody listens. */
  watchMs: 60_000,
  listensPerSession: 4,
  listensPerIsolate: 1_024,
  batchMessages: 50,
  /** Gateways that a request may have come through already. */
  hops: 3,
  /** How long a change of the log level waits for an upstream to take it. */
  levelTimeoutMs: 1_000,
  /** One request of discovery or of the handshake with an upstream. */
  handshakeTimeoutMs: 10_000,
  cataloguePages: 50,
  catalogueItems: 1_000,
  /** All pages of one list together. */
  catalogueBytes: 8_388_608,
  catalogueDepth: 512,
  listPageItems: 1_000,
} as const
