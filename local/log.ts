/** The log lines of a gateway, picked out of whatever its runtime says besides and puts around them. */
import { stripVTControlCharacters } from 'node:util'

const LOG_LINE = /\{"level":".*\}/

/** For pieces of output as they come; `write` gets whole log lines. */
export function openLogSink(write: (line: string) => void): (text: string) => void {
  let begun = ''
  return (text) => {
    const lines = (begun + text).split('\n')
    begun = lines.pop() ?? ''
    for (const line of lines) {
      const [found] = LOG_LINE.exec(stripVTControlCharacters(line)) ?? []
      if (found !== undefined) write(`${found}\n`)
    }
  }
}
