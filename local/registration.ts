/** Registers a service through the gateway's own API, as any operator would. Safe to repeat. */
export async function registerService(
  gateway: string,
  apiKey: string,
  service: { readonly name: string; readonly url: string },
): Promise<void> {
  const headers = { 'x-api-key': apiKey, 'content-type': 'application/json' }
  const servers = `${gateway}/api/v1/servers`
  let response = await fetch(servers, { method: 'POST', headers, body: JSON.stringify(service) })
  if (response.status === 409) {
    // There since an earlier run, perhaps on another port.
    const body = JSON.stringify({ url: service.url })
    response = await fetch(`${servers}/${service.name}`, { method: 'PUT', headers, body })
  }
  if (response.ok) console.log(`  ✓ ${'registered'.padEnd(10)} ${service.name}`)
  else console.error(`  ✗ ${service.name} could not be registered: ${await response.text()}`)
}
