/** Writes that are decided on what is committed. */
import type { Result } from '../platform/result.ts'
import { contended, type Problem } from './problem.ts'

const MAX_TURNS = 20

/**
 * Decides again where another write came between what was read and what was to be written: one of those always
 * succeeds, so it ends.
 */
export async function decide<T>(decision: () => Promise<Result<T, Problem>>): Promise<Result<T, Problem>> {
  for (let turn = 1; ; turn++) {
    const decided = await decision()
    if (decided.ok || decided.error !== contended || turn === MAX_TURNS) return decided
  }
}
