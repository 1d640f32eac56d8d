/** A program that starts parts, runs until it is told to end, and leaves nothing behind however it ends. */
import type { Child } from './child.ts'

type Part = { close(): Promise<unknown> }

export class Program {
  readonly #parts: Part[] = []
  #ending: Promise<unknown> | undefined

  /** Ends everything on Ctrl-C, SIGTERM, and when `run.mjs` is gone: exit code 0. */
  constructor() {
    for (const event of ['SIGINT', 'SIGTERM', 'SIGHUP', 'disconnect'])
      process.on(event, () => void this.end(0))
  }

  /** One part of the program, announced in one line when it is ready; it ends with the program. */
  async start<T extends Part>(
    label: string,
    open: () => Promise<T>,
    describe: (part: T) => string,
  ): Promise<T> {
    const startedAt = performance.now()
    const part = await open()
    this.#parts.push(part)
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(1)
    console.log(`  ✓ ${label.padEnd(10)} ${describe(part).padEnd(48)} ${seconds} s`)
    if (this.#ending) await part.close()
    return part
  }

  /** Something that ends with the program, without a word. */
  keep(part: Part): void {
    this.#parts.push(part)
  }

  /** A child that ends by itself ends the program. */
  watch(name: string, child: Child): void {
    void child.exited.then(() => {
      if (this.#ending) return
      console.error(`${name} ended unexpectedly.\n${child.lastWords()}`)
      return this.end(1)
    })
  }

  /** A second call, as of an impatient Ctrl-C, waits for the first: a database half closed is slow to open. */
  async end(exitCode: number): Promise<never> {
    this.#ending ??= Promise.allSettled(this.#parts.toReversed().map((part) => part.close()))
    await this.#ending
    process.exit(exitCode)
  }
}

/** Runs `main`; what it throws is said in one line, and nothing is left running. */
export async function runProgram(main: (program: Program) => Promise<void>): Promise<void> {
  const program = new Program()
  try {
    await main(program)
  } catch (error) {
    console.error(`\n${error instanceof Error ? error.message : String(error)}`)
    await program.end(1)
  }
}
