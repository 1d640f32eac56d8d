/** How a command ends that cannot do what it was asked for: one sentence, and an exit code that scripts can rely on. */

export const EXIT = {
  done: 0,
  /** Refused, out of reach, or something that was asked about is not well. */
  failed: 1,
  /** The command line or a file is wrong, or `apply --check` found differences. */
  usage: 2,
  interrupted: 130,
} as const

export type ExitCode = (typeof EXIT)[keyof typeof EXIT]

/** Thrown by commands, told once by `run.ts`. `message`: what happened and what to do. */
export class Failure extends Error {
  readonly exitCode: ExitCode

  constructor(message: string, exitCode: ExitCode = EXIT.failed) {
    super(message)
    this.exitCode = exitCode
  }
}

export const misuse = (message: string): Failure => new Failure(message, EXIT.usage)
