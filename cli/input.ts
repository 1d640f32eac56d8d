/** Files that commands are given. `-` is stdin. */
import { readFile } from 'node:fs/promises'
import { EXIT, Failure } from './failure.ts'
import { parseJson } from './json.ts'
import type { Terminal } from './terminal.ts'

export async function readInputFile(file: string, terminal: Terminal): Promise<string> {
  if (file === '-') return await terminal.readInput()
  return await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    const why = error.code === 'ENOENT' ? 'is not there' : `cannot be read (${error.code ?? error.message})`
    throw new Failure(`${file} ${why}.`, EXIT.usage)
  })
}

/** JSON, with the comments and trailing commas that editors allow. */
export async function readJsonFile(file: string, terminal: Terminal): Promise<unknown> {
  return parseJson(await readInputFile(file, terminal), file === '-' ? 'stdin' : file)
}
