/**
 * What the suites for clients start once for each scenario: it registers the server of the scenario, whose URL is the
 * last argument, as a service of a running gateway, and does through the gateway what the scenario wants done. The
 * client that the suite then judges is the gateway.
 */
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { Gateway } from '../gateway.ts'
import { DRIVES } from './drives.ts'

const DRIVE_WITHIN_MS = 20_000

const setting = (name: string): string => {
  const value = process.env[name]
  if (value === undefined) throw new Error(`${name} is not set`)
  return value
}

// A call that nobody answers must not keep the suite waiting.
setTimeout(() => process.exit(1), DRIVE_WITHIN_MS).unref()

const scenario = setting('MCP_CONFORMANCE_SCENARIO')
const gateway = new Gateway(setting('SWITCHYARD_URL'))
const isModern = setting('SWITCHYARD_CALLER_ERA') === 'modern'
const service = `service-${crypto.randomUUID().slice(0, 8)}`
const registered = await gateway.register(service, process.argv.at(-1) ?? '')
if (registered.status !== 201) throw new Error(`The server was not registered: ${registered.text}`)

const client = new Client(
  { name: 'conformance-driver', version: '1.0.0' },
  {
    capabilities: { elicitation: { form: { applyDefaults: true } } },
    versionNegotiation: { mode: isModern ? { pin: '2026-07-28' } : 'legacy' },
  },
)
// Whoever confirms fills in nothing else: the defaults are the client's to add.
client.setRequestHandler('elicitation/create', () => ({ action: 'accept', content: {} }))
// The server of `sse-retry` takes any GET for a resumption, so there is none beside it.
const withoutListening: typeof fetch = async (url, init) => {
  const isListening = init?.method === 'GET' && !new Headers(init.headers).has('last-event-id')
  return isListening ? new Response(null, { status: 405 }) : await fetch(url, init)
}
const transport = new StreamableHTTPClientTransport(
  new URL(`${gateway.url}/mcp/${service}`),
  scenario === 'sse-retry' ? { fetch: withoutListening } : {},
)
await client.connect(transport)
await DRIVES[scenario]?.(client, JSON.parse(process.env['MCP_CONFORMANCE_CONTEXT'] ?? '{}'))
if (!isModern) await transport.terminateSession()
await client.close()
await gateway.manage('DELETE', `/api/v1/servers/${service}`)
