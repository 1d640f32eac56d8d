/** From a resolved tool to its upstream: credential, session, deadline; a fault becomes the caller's refusal. */
import type { ServiceRecord } from './registry/image.ts'
import type { TargetCall } from './flow.ts'
import type { Background } from './platform/background.ts'
import { refuse } from './protocol/refusal.ts'
import type { Log } from './telemetry/log.ts'
import type { UpstreamAuth } from './upstream/connection.ts'
import { callTool } from './upstream/call.ts'
import { refusalOf } from './upstream/fault.ts'
import type { UpstreamSessions } from './upstream/session.ts'

export type DispatchPorts = {
  /** Whether the stored address may be called under the policy of today, which may not be that of its registration. */
  readonly mayCall: (service: ServiceRecord) => boolean
  readonly sessions: UpstreamSessions
  readonly openCredential: (service: ServiceRecord) => UpstreamAuth | Promise<UpstreamAuth | undefined>
  /** Asks a service that was never reached what it offers. */
  readonly recover: (service: ServiceRecord, background: Background) => Promise<void>
  readonly defaultTimeoutMs: number
  readonly log: Log
}

export async function dispatch(call: TargetCall, ports: DispatchPorts): Promise<Response> {
  const { target, idText, background } = call
  const { service, localName, mirrors } = target
  const { catalogue, config, name } = service
  if (!catalogue) {
    background(ports.recover(service, background))
    const reason = 'it was away when it was registered and is being contacted now'
    return refuse({ why: 'upstream_unreachable', service: name, reason }, idText)
  }
  if (!ports.mayCall(service)) {
    const reason = 'its address may not be called here, an operator must change it'
    return refuse({ why: 'upstream_unreachable', service: name, reason }, idText)
  }
  const auth = await ports.openCredential(service)
  if (!auth) return refuse({ why: 'upstream_auth', service: name }, idText)
  const answered = await callTool(
    {
      service: name,
      connection: { url: service.url, headers: config.headers ?? {}, auth },
      dialect: { era: catalogue.era, protocolVersion: catalogue.protocolVersion },
      isStateful: catalogue.isStateful,
      sessionKey: `${service.id}|${service.url}|${call.principal.subject}`,
      timeoutMs: config.timeoutMs ?? ports.defaultTimeoutMs,
      localName,
      mirrors,
      message: call.message,
      era: call.era,
      idText,
      acceptsJson: call.acceptsJson,
      acceptsStream: call.acceptsStream,
      signal: call.signal,
      background,
    },
    ports.sessions,
  )
  if (answered.ok) return answered.value
  ports.log('info', 'call_failed', { service: name, tool: localName, fault: answered.error })
  return refuse(refusalOf(answered.error, name), idText)
}
