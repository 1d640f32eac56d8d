/**
 * A strict reader of the text format of Prometheus, version 0.0.4, for tests: what it does not understand, and what a
 * server would refuse or `promtool check metrics` would complain of, is an error that names the line.
 */
export type Series = {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

export type Family = {
  readonly name: string
  readonly help: string
  readonly type: string
  readonly series: readonly Series[]
}

type Open = { name: string; help: string; type: string; series: Series[] }

const NAME = '[a-zA-Z_:][a-zA-Z0-9_:]*'
const HELP = new RegExp(`^# HELP (${NAME}) ((?:[^\\\\\\n]|\\\\[\\\\n])+)$`)
const TYPE = new RegExp(`^# TYPE (${NAME}) (counter|gauge|histogram|summary|untyped)$`)
const LINE = new RegExp(`^(${NAME})(?:\\{([^\\n]*)\\})? ([^ ]+)$`)
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"(?:,|$)/y
const VALUE = /^(?:NaN|[+-]Inf|[+-]?\d+(?:\.\d+)?(?:e[+-]?\d+)?)$/

export function readExposition(text: string): Family[] {
  if (text !== '' && !text.endsWith('\n')) throw new Error('the last line has no end')
  const families: Open[] = []
  const seen = new Set<string>()
  for (const line of text.split('\n').slice(0, -1)) {
    const last = families.at(-1)
    const [, helped, help = ''] = HELP.exec(line) ?? []
    const [, typed, type = ''] = TYPE.exec(line) ?? []
    if (helped !== undefined) {
      if (families.some(({ name }) => name === helped)) fail('a family in two places', line)
      families.push({ name: helped, help: unescape(help), type: '', series: [] })
    } else if (typed !== undefined) {
      if (last?.name !== typed || last.type !== '' || last.series.length > 0)
        fail('a type out of place', line)
      if (last) last.type = type
    } else {
      const series = readSeries(line)
      if (!last || last.type === '' || !isOf(last, series.name)) fail('a series of no family', line)
      const key = JSON.stringify([series.name, Object.entries(series.labels).toSorted()])
      if (seen.has(key)) fail('a series twice', line)
      seen.add(key)
      last?.series.push(series)
    }
  }
  for (const family of families) checkFamily(family)
  return families
}

function fail(what: string, line: string): never {
  throw new Error(`${what}: ${line}`)
}

function readSeries(line: string): Series {
  const [, name = '', inner = '', value = ''] = LINE.exec(line) ?? fail('no line of this format', line)
  if (!VALUE.test(value)) fail('no number', line)
  const labels: Record<string, string> = {}
  LABEL.lastIndex = 0
  while (LABEL.lastIndex < inner.length) {
    const [, label = '', text = ''] = LABEL.exec(inner) ?? fail('no labels', line)
    if (label in labels || label.startsWith('__')) fail('a label that may not be', line)
    labels[label] = unescape(text)
  }
  return { name, labels, value: Number(value.replace('Inf', 'Infinity')) }
}

const unescape = (text: string): string => text.replace(/\\(.)/g, (_, char) => (char === 'n' ? '\n' : char))

const SUFFIXES: Readonly<Record<string, readonly string[]>> = { histogram: ['_bucket', '_sum', '_count'] }

const isOf = ({ name, type }: Open, series: string): boolean =>
  (SUFFIXES[type] ?? ['']).some((suffix) => series === name + suffix)

/** What the linter of `promtool` asks for, and what makes a histogram one. */
function checkFamily({ name, type, series }: Open): void {
  if (series.length === 0) fail('a family without series', name)
  if ((type === 'counter') !== name.endsWith('_total'))
    fail('_total is for counters, and for them alone', name)
  if (/(milliseconds|_ms|_info_total|_(?:counter|gauge|histogram)(?:_|$))/.test(name))
    fail('a name out of order', name)
  for (const { value } of series) {
    if (type !== 'gauge' && !(value >= 0)) fail('a count below zero', name)
  }
  if (type === 'histogram') checkHistogram(name, series)
}

function checkHistogram(name: string, series: readonly Series[]): void {
  const groups = Map.groupBy(series, ({ labels }) => JSON.stringify({ ...labels, le: '' }))
  for (const group of groups.values()) {
    const buckets = group.filter((each) => each.name === `${name}_bucket`)
    const bounds = buckets.map(({ labels }) => Number(labels['le']?.replace('Inf', 'Infinity')))
    const counts = buckets.map(({ value }) => value)
    const total = group.find((each) => each.name === `${name}_count`)?.value
    const isRising = (list: readonly number[], mayRest: boolean): boolean =>
      list.every((each, at) => at === 0 || each > (list[at - 1] ?? 0) || (mayRest && each === list[at - 1]))
    if (!isRising(bounds, false) || bounds.at(-1) !== Infinity) fail('bounds that do not rise to +Inf', name)
    if (!isRising(counts, true) || counts.at(-1) !== total) fail('buckets that do not add up', name)
    if (!group.some((each) => each.name === `${name}_sum`)) fail('no sum', name)
  }
}
