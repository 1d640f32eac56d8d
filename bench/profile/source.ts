/** Where the functions of a bundle were written, by the map beside it. */
import { readFile } from 'node:fs/promises'
import { SourceMap } from 'node:module'
import { join, relative, resolve } from 'node:path'
import type { Frame } from './attribution.ts'

const ROOT = join(import.meta.dirname, '../..')
/** The name that workerd gives the bundle. */
const BUNDLE = /(^|\/)index\.js$/

export type Source = {
  /** Whether it is a function of the bundle. */
  has(frame: Frame): boolean
  /** File and line. */
  placeOf(frame: Frame): string
}

/** `directory`: what `buildBundle` gave. */
export async function readSource(directory: string): Promise<Source> {
  const map = new SourceMap(JSON.parse(await readFile(join(directory, 'index.js.map'), 'utf8')))
  return {
    has: ({ url }) => BUNDLE.test(url),
    placeOf({ lineNumber, columnNumber }) {
      const entry = map.findEntry(lineNumber, columnNumber)
      if (!('originalSource' in entry)) return `line ${lineNumber + 1} of the bundle`
      const file = relative(ROOT, resolve(directory, entry.originalSource))
      return `${file.replace(/^.*node_modules\//, '')}:${entry.originalLine + 1}`
    },
  }
}
