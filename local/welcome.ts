/** What `npm start` says when all is ready: where, with which credentials, and one line to try. */
const REGISTERED_WITHIN_MS = 15_000
const EXAMPLE = 'shopping-service'

export async function welcome(url: string, bindings: Readonly<Record<string, string>>): Promise<string> {
  const { API_KEY = '', MCP_BEARER_TOKEN = '', MCP_SERVICES = '' } = bindings
  const configured = MCP_SERVICES.split(',').map((name) => name.trim())
  const names = await listServices(url, API_KEY, configured.filter((name) => name !== '').length)
  const call = names.includes(EXAMPLE)
    ? '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"getProductById","arguments":{"id":"123"}}}'
    : '{"jsonrpc":"2.0","id":1,"method":"tools/list"}'
  const bearer = quoteForShell(`Authorization: Bearer ${MCP_BEARER_TOKEN}`)
  return `
Switchyard is ready: ${names.length} ${names.length === 1 ? 'service' : 'services'}${names.length > 0 ? ` (${names.join(', ')})` : ''}.

  MCP endpoint   ${url}/mcp
  management     ${url}/docs
  agents         Authorization: Bearer ${MCP_BEARER_TOKEN}
  operators      X-API-Key: ${API_KEY}

Try it:

curl -s ${url}/mcp -H ${bearer} -H 'Content-Type: application/json' -d '${call}'

Ctrl-C ends everything.`
}

/** The names of all services; those of the environment are given some time, since the gateway registers them itself. */
async function listServices(url: string, apiKey: string, expected: number): Promise<readonly string[]> {
  const end = Date.now() + REGISTERED_WITHIN_MS
  for (;;) {
    const response = await fetch(`${url}/api/v1/servers?limit=100`, { headers: { 'x-api-key': apiKey } })
    const names = readNames(await response.text())
    if (names.length >= expected || Date.now() > end) return names
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
}

/** None when the gateway refuses to say: it tells why in its log. */
function readNames(text: string): string[] {
  const { items } = JSON.parse(text)
  return Array.isArray(items) ? items.map(({ name }) => String(name)) : []
}

const quoteForShell = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`
