/** What `npm start` says when all is ready: where, with which credentials, and one line to try. */
const REGISTERED_WITHIN_MS = 15_000

export async function welcome(url: string, bindings: Readonly<Record<string, string>>): Promise<string> {
  const { API_KEY, MCP_BEARER_TOKEN, MCP_SERVICES = '' } = bindings
  const expected = MCP_SERVICES.split(',').filter((name) => name.trim() !== '').length
  const count = await countServices(url, expected)
  const call =
    '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"getProductById","arguments":{"id":"123"}}}'
  return `
Switchyard is ready: ${count} ${count === 1 ? 'service' : 'services'}.

  MCP endpoint   ${url}/mcp
  agents         Authorization: Bearer ${MCP_BEARER_TOKEN}
  operators      X-API-Key: ${API_KEY}

Try it:

curl -s ${url}/mcp -H 'Authorization: Bearer ${MCP_BEARER_TOKEN}' -H 'Content-Type: application/json' -d '${call}'

Ctrl-C ends everything.`
}

/** The services registered; those of the environment are given some time, since the gateway does that itself. */
async function countServices(url: string, expected: number): Promise<number> {
  const end = Date.now() + REGISTERED_WITHIN_MS
  for (;;) {
    const count = readCount(await (await fetch(`${url}/health`)).text())
    if (count >= expected || Date.now() > end) return count
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
}

function readCount(health: string): number {
  const { services } = JSON.parse(health)
  return Object.values<number>(services).reduce((sum, part) => sum + part, 0)
}
