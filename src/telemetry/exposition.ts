/** Figures in the text format of Prometheus, version 0.0.4: how they are written, not what they mean. */

export type Labels = Readonly<Record<string, string>>

export type Sample = { readonly labels?: Labels; readonly value: number }

/** How many were at most so large, from bound to bound; `count` holds those beyond the last as well. */
export type HistogramSample = {
  readonly labels?: Labels
  readonly buckets: readonly { readonly upTo: number; readonly count: number }[]
  readonly count: number
  readonly sum: number
}

/** A family of figures under one name. */
export type Metric = { readonly name: string; readonly help: string } & (
  | { readonly type: 'counter' | 'gauge'; readonly samples: readonly Sample[] }
  | { readonly type: 'histogram'; readonly samples: readonly HistogramSample[] }
)

export const EXPOSITION_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

export const counter = (name: string, help: string, samples: readonly Sample[]): Metric => ({
  name,
  help,
  type: 'counter',
  samples,
})

export const gauge = (name: string, help: string, samples: readonly Sample[]): Metric => ({
  name,
  help,
  type: 'gauge',
  samples,
})

/** The whole text, each name with `prefix`. A family without samples is left out. */
export const writeExposition = (metrics: readonly Metric[], prefix = ''): string =>
  metrics
    .filter(({ samples }) => samples.length > 0)
    .map((metric) => ({ ...metric, name: prefix + metric.name }))
    .map((metric) => [...headOf(metric), ...linesOf(metric)].join('\n') + '\n')
    .join('')

const headOf = ({ name, help, type }: Metric): string[] => [
  `# HELP ${name} ${help.replace(/[\\\n]/g, escaped)}`,
  `# TYPE ${name} ${type}`,
]

function linesOf(metric: Metric): string[] {
  const { name } = metric
  return metric.type === 'histogram'
    ? metric.samples.flatMap((sample) => histogramLines(name, sample))
    : metric.samples.map(({ labels, value }) => line(name, labels, value))
}

const histogramLines = (name: string, { labels, buckets, count, sum }: HistogramSample): string[] => [
  ...buckets.map((bucket) => line(`${name}_bucket`, { ...labels, le: String(bucket.upTo) }, bucket.count)),
  line(`${name}_bucket`, { ...labels, le: '+Inf' }, count),
  line(`${name}_sum`, labels, sum),
  line(`${name}_count`, labels, count),
]

function line(name: string, labels: Labels = {}, value: number): string {
  const pairs = Object.entries(labels).map(
    ([label, text]) => `${label}="${text.replace(/[\\"\n]/g, escaped)}"`,
  )
  return `${name}${pairs.length > 0 ? `{${pairs.join(',')}}` : ''} ${numberText(value)}`
}

const escaped = (char: string): string => (char === '\n' ? '\\n' : `\\${char}`)

/** As Go reads it. */
const numberText = (value: number): string =>
  Number.isFinite(value) || Number.isNaN(value) ? String(value) : value > 0 ? '+Inf' : '-Inf'
