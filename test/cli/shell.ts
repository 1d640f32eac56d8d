/** A shell in which the real program runs, with an environment and a home of its own. */
import { spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'

const PROGRAM = join(import.meta.dirname, '../../cli/switchyard.mjs')

export type Ran = { readonly code: number | null; readonly stdout: string; readonly stderr: string }

export type RunOptions = {
  readonly input?: string
  readonly env?: Readonly<Record<string, string>>
}

export class Shell {
  readonly directory: string
  readonly env: Readonly<Record<string, string>>
  /** Everything that was ever printed. */
  printed = ''

  constructor(directory: string, env: Readonly<Record<string, string>>) {
    this.directory = directory
    this.env = env
  }

  /** One command line to its end. */
  async run(args: readonly string[], { input, env = {} }: RunOptions = {}): Promise<Ran> {
    const child = spawn(process.execPath, [PROGRAM, ...args], {
      cwd: this.directory,
      env: {
        PATH: process.env['PATH'],
        XDG_CONFIG_HOME: join(this.directory, 'config'),
        ...this.env,
        ...env,
      },
    })
    const ended = new Promise<number | null>((resolve) => child.on('close', resolve))
    child.stdin.end(input ?? '')
    const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)])
    this.printed += stdout + stderr
    return { code: await ended, stdout, stderr }
  }

  /** The same, which must do what it is asked for; gives what it prints. */
  async must(args: readonly string[], options?: RunOptions): Promise<string> {
    const { code, stdout, stderr } = await this.run(args, options)
    if (code !== 0) throw new Error(`switchyard ${args.join(' ')} ended with ${code}: ${stdout}${stderr}`)
    return stdout
  }

  /** What it prints for scripts. */
  async json(args: readonly string[], options?: RunOptions): Promise<any> {
    return JSON.parse(await this.must([...args, '--json'], options))
  }

  async write(file: string, content: unknown): Promise<string> {
    const whole = typeof content === 'string' ? content : JSON.stringify(content, undefined, 2)
    await writeFile(join(this.directory, file), whole)
    return file
  }

  async close(): Promise<void> {
    await rm(this.directory, { recursive: true, force: true })
  }
}

export async function openShell(env: Readonly<Record<string, string>>): Promise<Shell> {
  return new Shell(await mkdtemp(join(tmpdir(), 'switchyard-cli-')), env)
}
