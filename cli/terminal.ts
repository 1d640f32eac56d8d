/**
 * The one place by which anything leaves the program. Results go to stdout, everything said about them to stderr. What
 * is printed is made harmless first, so no caller can forget it; styles are put around it afterwards.
 */
import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'
import { styleText } from 'node:util'
import { EXIT, Failure, misuse } from './failure.ts'
import { neutralise, neutraliseJson } from './plain.ts'
import { type Column, listOf, tableOf, type Cell } from './table.ts'

export type Style = 'bold' | 'dim' | 'green' | 'red' | 'yellow'

const PROGRESS_EVERY_MS = 120
const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏']
const CLEAR_LINE = '\r\u001B[2K'

export class Terminal {
  readonly isInteractive = process.stdin.isTTY && process.stderr.isTTY

  /** A line of the result. */
  print(line: string, style?: Style): void {
    write(process.stdout, neutralise(line), style)
  }

  /** A line about what happens. */
  say(line: string, style?: Style): void {
    write(process.stderr, neutralise(line), style)
  }

  /** A JSON text of the gateway, for scripts. */
  json(text: string): void {
    process.stdout.write(`${neutraliseJson(text)}\n`)
  }

  table<Row>(rows: readonly Row[], columns: readonly Column<Row>[]): void {
    const [head = '', ...lines] = tableOf(rows, columns, widthOf(process.stdout))
    this.print(head, 'bold')
    for (const line of lines) this.print(line)
  }

  list(members: readonly (readonly [name: string, value: Cell])[]): void {
    for (const line of listOf(members)) this.print(line)
  }

  /** Throws where nobody says yes. */
  async confirm(question: string, isAgreed: boolean): Promise<void> {
    if (isAgreed) return
    if (!this.isInteractive) throw misuse(`${question} Nobody can be asked here: repeat it with --yes.`)
    const answer = await ask(`${neutralise(question)} [y/N] `, true)
    if (!/^y(es)?$/i.test(answer.trim())) throw new Failure('Nothing was changed.')
  }

  async read(question: string): Promise<string> {
    this.#requirePerson(question)
    return (await ask(`${question}: `, true)).trim()
  }

  /** What is typed is not shown. */
  async readSecret(question: string): Promise<string> {
    this.#requirePerson(question)
    const answer = await ask(`${question}: `, false)
    process.stderr.write('\n')
    return answer
  }

  /** Everything on stdin, without the line feed at its end. */
  async readInput(): Promise<string> {
    const chunks: Buffer[] = []
    for await (const chunk of process.stdin) chunks.push(Buffer.from(chunk))
    return Buffer.concat(chunks)
      .toString('utf8')
      .replace(/\r?\n$/, '')
  }

  /** Shows on a terminal that something goes on, and clears it away. */
  async progress<T>(label: string, work: Promise<T>): Promise<T> {
    if (!process.stderr.isTTY) return await work
    let at = 0
    const show = () =>
      process.stderr.write(`${CLEAR_LINE}${FRAMES[at++ % FRAMES.length]} ${neutralise(label)} …`)
    const timer = setInterval(show, PROGRESS_EVERY_MS)
    try {
      return await work
    } finally {
      clearInterval(timer)
      if (at > 0) process.stderr.write(CLEAR_LINE)
    }
  }

  #requirePerson(question: string): void {
    if (!this.isInteractive) throw misuse(`${question}: nobody can be asked here. See --help for the flags.`)
  }
}

/** Honours NO_COLOR, FORCE_COLOR and whether a terminal is there. */
function write(stream: NodeJS.WriteStream, text: string, style?: Style): void {
  stream.write(`${style === undefined ? text : styleText(style, text, { stream })}\n`)
}

const widthOf = ({ isTTY, columns }: NodeJS.WriteStream): number =>
  isTTY ? columns : Number.POSITIVE_INFINITY

async function ask(prompt: string, isShown: boolean): Promise<string> {
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() })
  const output = isShown ? process.stderr : nowhere
  const lines = createInterface({ input: process.stdin, output, terminal: true })
  // Not before: until then the terminal itself shows what is typed.
  if (!isShown) process.stderr.write(prompt)
  const stopped = new Promise<never>((_, reject) => {
    lines.once('SIGINT', () => reject(new Failure('Interrupted.', EXIT.interrupted)))
    lines.once('close', () => reject(new Failure('No answer was given.')))
  })
  try {
    return await Promise.race([lines.question(isShown ? prompt : ''), stopped])
  } finally {
    lines.close()
  }
}
