/**
 * From a forward to its upstream and back: leave from the guard, the call, another try where that is safe, and a record
 * of what became of it. A fault becomes the caller's refusal.
 */
import type { CallStatus } from '../guard/admission.ts'
import type { Denial } from '../guard/desk.ts'
import type { Permit } from '../guard/guard.ts'
import type { Background } from '../platform/background.ts'
import { wait } from '../platform/deadline.ts'
import { err, type Result } from '../platform/result.ts'
import type { LogLevel } from '../platform/settings.ts'
import { type Refusal, refuse, respondWithRefusal } from '../protocol/refusal.ts'
import { errorCodeOf } from '../upstream/answer.ts'
import { callUpstream } from '../upstream/call.ts'
import type { Verdict } from '../upstream/conversation.ts'
import { type Fault, refusalOf } from '../upstream/fault.ts'
import type { Forward } from './forward.ts'
import { outcomeOf, refusalOfDenial } from './permit.ts'
import { type DispatchPorts, type Live, prepareCall, type Prepared } from './prepare.ts'
import { lineOfCall, noteCall, statusOf } from './record.ts'
import { pauseBefore } from './retry.ts'

export async function dispatch(forward: Forward, live: Live, ports: DispatchPorts): Promise<Response> {
  const prepared = await prepareCall(forward, live, ports)
  if (!prepared.ok) return refuse(prepared.error, forward.idText)
  const answered = await tryCall(forward, prepared.value, live, ports)
  return answered.ok ? answered.value : respondWithRefusal(answered.error, forward.idText)
}

/** As often as is safe and allowed, all within the time of one call. */
async function tryCall(
  forward: Forward,
  prepared: Prepared,
  live: Live,
  ports: DispatchPorts,
): Promise<Result<Response, Refusal>> {
  const { service, guarded, prefers, callTo, renewCredential } = prepared
  const trial = openTrial(forward, prepared, live.background, ports)
  const avoids = new Set<string>()
  let until: number | undefined
  let last: Fault | undefined
  for (let attempt = 1; ; attempt++) {
    const permit = await ports.guard.admit(
      guarded,
      { prefers, avoids, isRetry: attempt > 1 },
      live.background,
    )
    if ('why' in permit) {
      if (last) trial.last()
      else trial.refused(permit)
      return err(last ? refusalOf(last, service.name) : refusalOfDenial(permit, service.name))
    }
    // The time of the call begins when it may go.
    until ??= ports.clock() + guarded.timeoutMs
    const leftMs = Math.max(1, until - ports.clock())
    const answered = await callUpstream(callTo(permit.url, leftMs, trial.begin(permit)), ports.sessions)
    if (answered.ok) {
      trial.last()
      return answered
    }
    last = answered.error
    ports.log('debug', 'attempt_failed', { service: service.name, method: forward.method, fault: last })
    const pauseMs = pauseBefore({ attempt, fault: last, forward, service, guarded })
    const isRefused = last.is === 'auth' && pauseMs !== undefined
    const renewal = isRefused ? await renewCredential() : 'same'
    // A call that comes with another credential is no repeat that could become a storm.
    const mayRepeat = (): boolean => renewal === 'renewed' || ports.guard.mayRetry(guarded)
    const isAllowed = pauseMs !== undefined && ports.clock() + pauseMs < until && mayRepeat()
    if (!isAllowed || typeof renewal === 'object') {
      trial.last()
      return err(typeof renewal === 'object' ? renewal : refusalOf(last, service.name))
    }
    avoids.add(permit.url)
    if (pauseMs > 0) await wait(pauseMs)
  }
}

export type Trial = {
  /** One try begins; gives what must hear of its end. */
  begin(permit: Permit): (verdict: Verdict) => void
  /** No other try follows: what becomes of this one is what becomes of the call. */
  last(): void
  /** The call was not let through. */
  refused(denial: Denial): void
}

/** What a service did is worth more notice than what it said. */
function eventOf(status: CallStatus, verdict: Verdict | undefined): [level: LogLevel, event: string] {
  switch (status) {
    case 'success':
      return ['debug', 'call_done']
    case 'refused':
      return ['info', 'call_refused']
    case 'cancelled':
      return ['info', 'call_failed']
    case 'error':
    case 'timeout':
      return [verdict?.fault ? 'warn' : 'info', 'call_failed']
  }
}

/**
 * The upstream does not know what it offered, or the version that it spoke: it may be another one by now, and is asked
 * anew (F37).
 */
const isMismatch = ({ answer, wasTurnedAway }: Verdict): boolean =>
  answer?.isError === true && (wasTurnedAway === true || errorCodeOf(answer) === UNKNOWN_METHOD)

const UNKNOWN_METHOD = -32_601

/** Settles the permit of each try; counts, logs and records the call once, when it is over. */
export function openTrial(
  forward: Forward,
  { service, guarded }: Pick<Prepared, 'service' | 'guarded'>,
  background: Background,
  {
    guard,
    clock,
    noteMismatch,
    capturesCalls,
    results,
    log,
  }: Pick<DispatchPorts, 'guard' | 'clock' | 'noteMismatch' | 'capturesCalls' | 'results' | 'log'>,
): Trial {
  const startedAt = clock()
  let verdict: Verdict | undefined
  let isLast = false
  let isConcluded = false
  const conclude = (denial?: Denial): void => {
    if (isConcluded) return
    isConcluded = true
    if (forward.keepAs)
      results.end(forward.keepAs.key, verdict?.fault?.is === 'cancelled' ? 'lost' : 'landed')
    const course = { verdict, denial, startedAt, now: clock(), isCaptured: capturesCalls }
    const status = statusOf(course, forward.method)
    // The room that these records would take is for those of other calls (F59).
    const note = denial?.why === 'audit' ? undefined : noteCall(forward, service, course, status)
    guard.conclude(guarded, status, note, background)
    log(...eventOf(status, verdict), () => lineOfCall(forward, service.name, course, status))
  }
  return {
    begin(permit) {
      const begunAt = clock()
      return (over) => {
        // What follows on that is only that the call is taken down (F39).
        if (verdict?.fault?.is === 'cancelled') return
        verdict = over
        const { slowMs } = guarded.limits
        const isSlow = slowMs !== undefined && clock() - begunAt > slowMs
        permit.settle(outcomeOf(over, isSlow), background)
        if (isMismatch(over)) noteMismatch(service, background)
        if (isLast || over.fault?.is === 'cancelled') conclude()
      }
    },
    last() {
      isLast = true
      if (verdict) conclude()
    },
    refused(denial) {
      conclude(denial)
    },
  }
}
