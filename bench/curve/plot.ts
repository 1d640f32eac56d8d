/** Lines over two logarithmic axes as SVG that can be read on light and on dark ground. Pure. */

export type Point = { readonly x: number; readonly y: number }
/** `label` stands at the end of the line, in its colour. */
export type Line = { readonly label: string; readonly points: readonly Point[] }
export type Axis = { readonly title: string; readonly ticks: readonly number[]; readonly unit?: string }
export type Plot = {
  readonly title: string
  readonly x: Axis
  readonly y: Axis
  readonly lines: readonly Line[]
}

const WIDTH = 720
const HEIGHT = 400
const AREA = { left: 70, right: 500, top: 50, bottom: 340 } as const
/** Labels closer than this would be written over each other. */
const LABEL_GAP = 18
/** Told apart by lightness and by dashes too, not by hue alone. */
const PAINTS = [
  { light: '#0b62a4', dark: '#6cb6ff', dashes: '' },
  { light: '#b3541e', dark: '#f0a35e', dashes: '8 4' },
  { light: '#5b5b5b', dark: '#b0b0b0', dashes: '2 4' },
] as const

export function draw({ title, x, y, lines }: Plot): string {
  const atX = scaleOf(x.ticks, AREA.left, AREA.right)
  const atY = scaleOf(y.ticks, AREA.bottom, AREA.top)
  const labels = spread(lines.map(({ points }) => atY(points.at(-1)?.y ?? 1)))
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escape(title)}">
<style>
text { font: 13px system-ui, sans-serif; fill: #24292f }
.title { font-size: 15px; font-weight: 600 }
.grid { stroke: #d0d7de }
.line { fill: none; stroke-width: 2.5 }
${PAINTS.map(({ light }, at) => paint(at, light)).join('\n')}
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3 }
.grid { stroke: #3d444d }
${PAINTS.map(({ dark }, at) => paint(at, dark)).join('\n')}
}
</style>
<text class="title" x="${AREA.left}" y="26">${escape(title)}</text>
${x.ticks.map((tick) => vertical(atX(tick), `${tick}${x.unit ?? ''}`)).join('\n')}
${y.ticks.map((tick) => horizontal(atY(tick), `${tick}${y.unit ?? ''}`)).join('\n')}
<text x="${(AREA.left + AREA.right) / 2}" y="${HEIGHT - 14}" text-anchor="middle">${escape(x.title)}</text>
<text transform="translate(20 ${(AREA.top + AREA.bottom) / 2}) rotate(-90)" text-anchor="middle">${escape(y.title)}</text>
${lines.map((line, at) => drawLine(line, at, atX, atY, labels[at] ?? 0)).join('\n')}
</svg>
`
}

type Scale = (value: number) => number

/** From the first tick to the last. */
export function scaleOf(ticks: readonly number[], from: number, to: number): Scale {
  const [first, last] = [Math.log(ticks[0] ?? 1), Math.log(ticks.at(-1) ?? 1)]
  return (value) => round(from + ((Math.log(value) - first) / (last - first)) * (to - from))
}

const vertical = (at: number, label: string): string =>
  `<path class="grid" d="M${at} ${AREA.top}V${AREA.bottom}"/><text x="${at}" y="${AREA.bottom + 20}" text-anchor="middle">${label}</text>`

const horizontal = (at: number, label: string): string =>
  `<path class="grid" d="M${AREA.left} ${at}H${AREA.right}"/><text x="${AREA.left - 8}" y="${at + 4}" text-anchor="end">${label}</text>`

function drawLine({ label, points }: Line, at: number, atX: Scale, atY: Scale, labelAt: number): string {
  const places = points.map(({ x, y }) => ({ x: atX(x), y: atY(y) }))
  const path = places.map(({ x, y }, place) => `${place === 0 ? 'M' : 'L'}${x} ${y}`).join('')
  const dots = places.map(
    ({ x, y }) => `<circle class="fill-${at % PAINTS.length}" cx="${x}" cy="${y}" r="4"/>`,
  )
  const dashes = PAINTS[at % PAINTS.length]?.dashes ?? ''
  const text = `<text class="fill-${at % PAINTS.length}" x="${AREA.right + 12}" y="${labelAt + 4}">${escape(label)}</text>`
  return `<path class="line stroke-${at % PAINTS.length}" stroke-dasharray="${dashes}" d="${path}"/>${dots.join('')}${text}`
}

/** Moves what is too close downwards, from the highest on. */
export function spread(places: readonly number[]): number[] {
  const order = places.map((place, at) => ({ place, at })).sort((one, other) => one.place - other.place)
  const moved: number[] = []
  let lowest = Number.NEGATIVE_INFINITY
  for (const { place, at } of order) {
    lowest = Math.max(place, lowest + LABEL_GAP)
    moved[at] = round(lowest)
  }
  return moved
}

const paint = (at: number, colour: string): string =>
  `.stroke-${at} { stroke: ${colour} } .fill-${at} { fill: ${colour} }`

const round = (value: number): number => Math.round(value * 10) / 10

const escape = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')
