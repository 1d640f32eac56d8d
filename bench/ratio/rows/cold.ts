/** From the start of a process to the first whole list, over and over: nothing is kept from the one before. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { rm } from 'node:fs/promises'
import type { Preparation } from '../../../local/workerd.ts'
import { ListCheck } from '../client/check.ts'
import { Conversation } from '../client/conversation.ts'
import { type Contender, OWN } from '../contender/contender.ts'
import { BARE } from '../contender/script.ts'
import { prepareWorker } from '../contender/worker.ts'
import { allTools, PLAIN } from '../offer.ts'
import type { Row } from '../row.ts'
import { median } from '../../statistics.ts'

const GOAL = 3
const WITHIN_MS = 20_000
const OFFERS = [PLAIN]

export const cold: Row = {
  id: 'cold',
  what: 'from process start to the first whole tools/list',
  isInQuick: false,
  async run({ ground, pace }) {
    const yard = await ground.yard({ offers: OFFERS })
    await yard.fill()
    await yard.stop()
    const gateway = await yard.prepare()
    const bare = await prepareWorker(BARE, { UPSTREAM: yard.upstreams[0] ?? '' })
    const pairs: { readonly own: number; readonly base: number }[] = []
    try {
      for (let repeat = 0; repeat < pace.repeats; repeat++) {
        const own = await startMs(gateway, yard.contender)
        pairs.push({ own, base: await startMs(bare, { ...yard.contender, name: 'bare' }) })
      }
    } finally {
      await gateway.forget()
      await bare.forget()
    }
    const ratio = median(pairs.map(({ own, base }) => own / base))
    const ms = median(pairs.map(({ own }) => own))
    return [
      { what: 'time, start to first list, ÷ bare', value: ratio, unit: '×', better: 'less', goal: GOAL },
      { what: 'time, start to first list', value: ms, unit: 'ms', better: 'less' },
    ]
  },
}

/** Starts it, and ends it when it has listed. Without a keeper, whose own start would be measured too. */
async function startMs(prepared: Preparation, contender: Contender): Promise<number> {
  const { command, args, directory, urls, scheduleSocket } = prepared
  // Whoever was killed left it behind.
  await rm(scheduleSocket, { force: true })
  const startedAt = performance.now()
  const child = spawn(command, [...args], { cwd: directory, stdio: 'ignore' })
  const exited = once(child, 'exit')
  const started = { ...contender, url: `${urls[0]}/mcp`, processes: { [OWN]: child.pid ?? 0 } }
  try {
    let fault: string | undefined = 'nothing'
    while (performance.now() - startedAt < WITHIN_MS) {
      fault = await listOnce(started)
      if (fault === undefined) return performance.now() - startedAt
      await new Promise((resolve) => setTimeout(resolve, 1))
    }
    throw new Error(`${contender.name} had no list within ${WITHIN_MS / 1_000} s, but ${fault}`)
  } finally {
    child.kill('SIGKILL')
    await exited
  }
}

/** What is wrong with its list, or nothing. */
async function listOnce(contender: Contender): Promise<string | undefined> {
  try {
    const conversation = await Conversation.open(contender, false)
    try {
      return new ListCheck(allTools(OFFERS)).check(await conversation.ask(1, 'tools/list', ''), 1)
    } finally {
      conversation.close()
    }
  } catch (error) {
    return String(error)
  }
}
