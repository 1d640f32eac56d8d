/**
 * Work that goes on after the response (`waitUntil`). The platform allows it 30 s; what is handed over
 * must settle by itself and must not reject unseen.
 */
export type Background = (work: Promise<unknown>) => void
