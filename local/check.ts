/** `npm run check`: types, lint, formatting and the direction of imports. All are run, also when one fails. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'

const ROOT = join(import.meta.dirname, '..')
const BIN = join(ROOT, 'node_modules/.bin')

const CHECKS = [
  { name: 'types', command: 'tsc', args: ['-p', '.'] },
  { name: 'lint', command: 'oxlint', args: [] },
  { name: 'formatting', command: 'oxfmt', args: ['--check'] },
  { name: 'imports', command: 'vitest', args: ['run', '--project', 'unit', 'test/architecture'] },
] as const

const failed = CHECKS.filter(({ name, command, args }) => {
  const { status, stdout, stderr } = spawnSync(join(BIN, command), [...args], {
    cwd: ROOT,
    encoding: 'utf8',
    env: { ...process.env, PATH: `${BIN}:${process.env['PATH'] ?? ''}` },
    shell: process.platform === 'win32',
  })
  console.log(`${status === 0 ? '✓' : '✗'} ${name}`)
  if (status !== 0) console.log(`${stdout}${stderr}`)
  return status !== 0
})
process.exit(failed.length === 0 ? 0 : 1)
