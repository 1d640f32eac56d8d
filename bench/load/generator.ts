/**
 * The load generator, in a thread of its own: sends every request when it is due, whether or not the ones before
 * it were answered, over connections that are kept.
 */
import { Agent, request } from 'node:http'
import { parentPort, workerData } from 'node:worker_threads'
import { readEvents } from '../../test/support/event.ts'
import { dueTimes, type Load, type Plan, type Sample, type Shot } from './plan.ts'

type Answer = Pick<Sample, 'status' | 'outcome' | 'code' | 'messages'>
type Due = { readonly load: Load; readonly dueMs: number }

/** What is due while so many are not answered is not sent, and counts as not answered: there is no more to learn. */
const MOST_OPEN = 4_000
const NOTHING: Answer = { status: 0, outcome: 'none', code: undefined, messages: 0 }

async function run({ loads, patienceMs }: Plan): Promise<Sample[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY })
  const schedule = loads
    .flatMap((load, at) => dueTimes(load, at / loads.length).map((dueMs): Due => ({ load, dueMs })))
    .sort((one, other) => one.dueMs - other.dueMs)
  const lastMs = schedule.at(-1)?.dueMs ?? 0
  const over = AbortSignal.timeout(Math.round(lastMs + patienceMs))
  const startedAt = performance.now()
  const sent: Promise<Sample>[] = []
  let open = 0
  const attempt = async (shot: Shot): Promise<Answer> => {
    if (open >= MOST_OPEN) return NOTHING
    open++
    const answer = await send(shot, agent, over).catch(() => NOTHING)
    open--
    return answer
  }
  for (const { load, dueMs } of schedule) {
    const dueAt = startedAt + dueMs
    const earlyMs = dueAt - performance.now()
    if (earlyMs > 0) await new Promise((resolve) => setTimeout(resolve, earlyMs))
    // Timers may be early by a fraction of a millisecond.
    const fromAt = Math.min(dueAt, performance.now())
    const { kind, shot } = load
    sent.push(
      attempt(shot).then((answer) => ({ kind, dueMs, tookMs: performance.now() - fromAt, ...answer })),
    )
  }
  const samples = await Promise.all(sent)
  agent.destroy()
  return samples
}

function send({ url, headers, body }: Shot, agent: Agent, signal: AbortSignal): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>()
  const length = String(Buffer.byteLength(body))
  const init = { method: 'POST', agent, signal, headers: { ...headers, 'content-length': length } }
  const sending = request(url, init, (response) => {
    const chunks: Buffer[] = []
    response.on('data', (chunk: Buffer) => chunks.push(chunk))
    response.on('end', () => resolve(read(response.statusCode ?? 0, Buffer.concat(chunks).toString())))
    response.on('error', reject)
  })
  sending.on('error', reject)
  sending.end(body)
  return promise
}

/** The last message of an answer decides what it is. */
function read(status: number, text: string): Answer {
  const events = readEvents(text)
  const messages = Math.max(1, events.length)
  try {
    const { result, error } = JSON.parse(events.at(-1) ?? text)
    if (result !== undefined) return { status, outcome: 'result', code: undefined, messages }
    if (error?.code !== undefined) return { status, outcome: 'error', code: error.code, messages }
  } catch {
    // Told below, with whatever else is no answer.
  }
  return { status, outcome: 'none', code: undefined, messages }
}

parentPort?.postMessage(await run(workerData), [])
