import { expect, it } from 'vitest'
import { openLogSink } from '../../local/log.ts'

it('picks log lines out of what else is said, however it comes in pieces', () => {
  const written: string[] = []
  const sink = openLogSink((line) => void written.push(line))
  const said =
    '\u001b[31m✘ [ERROR]\u001b[0m {"level":"error","event":"c"}\u001b[0m\nready\n{"level":"info","event":"a"}\nSECRET=1\n\n{"level":"warn","event":"b"}\n{"level":"err'
  for (const piece of said.match(/.{1,7}/gs) ?? []) sink(piece)
  expect(written).toEqual([
    '{"level":"error","event":"c"}\n',
    '{"level":"info","event":"a"}\n',
    '{"level":"warn","event":"b"}\n',
  ])
})
