/**
 * `npm run bench:profile`: where the processor time of a call goes. The production bundle with its names kept, on plain
 * workerd under the load of one kind, and a profile of V8 by function; see bench/README.md.
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { findFreePort } from '../../local/port.ts'
import { type Program, runProgram } from '../../local/program.ts'
import { buildBundle } from '../../local/workerd.ts'
import { openClients } from '../ratio/client/clients.ts'
import type { Lap, LapPlan } from '../ratio/client/lap.ts'
import { OWN, STORES } from '../ratio/contender/contender.ts'
import { openYard } from '../ratio/contender/yard.ts'
import { cpuUs, perSecond } from '../ratio/figure.ts'
import { PLAIN_OFFERS, SERVICES } from '../ratio/ground.ts'
import { allTools, PLAIN } from '../ratio/offer.ts'
import { brief } from '../ratio/report.ts'
import { attribute, type Profile } from './attribution.ts'
import { type Options, readOptions } from './options.ts'
import { Profiler } from './profiler.ts'
import { readSource } from './source.ts'
import { writeProfile } from './table.ts'

/** Until code is compiled and pools are filled. */
const WARM_MS = 3_000

await runProgram(async (program) => {
  if (process.platform !== 'linux')
    throw new Error('The profile needs Linux: it reads processor time from /proc.')
  const options = readOptions(process.argv.slice(2))
  const bundleDirectory = await mkdtemp(join(tmpdir(), 'switchyard-bench-'))
  program.keep({ close: () => rm(bundleDirectory, { recursive: true, force: true }) })
  await buildBundle(bundleDirectory, { isMinified: false })
  const source = await readSource(bundleDirectory)
  const { profile, lap } = await profileCalls(program, bundleDirectory, options)
  const attribution = attribute(profile, source.has)
  console.log(`${describeLap(lap, options)}\n`)
  console.log(writeProfile(attribution, lap.answers, options.top, source.placeOf))
  if (options.out !== undefined) {
    await mkdir(dirname(options.out), { recursive: true })
    await writeFile(options.out, JSON.stringify(profile))
  }
  await program.end(0)
})

async function profileCalls(
  program: Program,
  bundleDirectory: string,
  { service, services, lanes, argumentBytes, answerBytes, isModern, seconds }: Options,
): Promise<{ readonly profile: Profile; readonly lap: Lap }> {
  const clients = openClients()
  program.keep(clients)
  const inspectorAddress = `127.0.0.1:${await findFreePort()}`
  const offer = PLAIN_OFFERS[SERVICES[service]] ?? PLAIN
  const offers = Array.from({ length: services }, () => offer)
  const yard = await openYard({ bundleDirectory, offers, inspectorAddress })
  program.keep(yard)
  await yard.fill()
  const tools = allTools(offers)
  const wording = { more: answerBytes, data: argumentBytes }
  const plan: LapPlan = {
    contender: yard.contender,
    work: { is: 'call', tools, wording, isModern },
    lanes,
    warmMs: 0,
    forMs: seconds * 1_000,
  }
  await clients.run({ ...plan, forMs: WARM_MS })
  const profiler = await Profiler.open(inspectorAddress)
  const { profile, value: lap } = await profiler.profile(() => clients.run(plan))
  profiler.close()
  return { profile, lap }
}

function describeLap(lap: Lap, { service, services, lanes }: Options): string {
  const [own, stores] = [OWN, STORES].map((process) => brief(cpuUs(lap, process)))
  const load = `${services} × ${service} @ ${lanes}: ${brief(perSecond(lap))} answers/s, p50 ${brief(lap.p50Ms)} ms`
  return `${load}. CPU per answer while it was profiled: ${own} µs, of the stores ${stores} µs. Below, µs per answer.`
}
