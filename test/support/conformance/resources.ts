/** The resources that the suites read: text, bytes, a template, and one to subscribe to. */
import { type McpServer, ResourceTemplate } from '@modelcontextprotocol/server'
import { PIXEL } from './content.ts'

export function addResources(server: McpServer): void {
  addText(server, 'static-text', 'This is the content of the static text resource.')
  addText(server, 'watched-resource', 'Something to subscribe to.')
  const image = { description: 'Bytes that never change', mimeType: 'image/png' }
  server.registerResource('static-binary', 'test://static-binary', image, ({ href }) => ({
    contents: [{ uri: href, mimeType: image.mimeType, blob: PIXEL }],
  }))
  addTemplate(server)
  addSubscriptions(server)
}

function addText(server: McpServer, name: string, text: string): void {
  const about = { description: 'Text that never changes', mimeType: 'text/plain' }
  server.registerResource(name, `test://${name}`, about, ({ href }) => ({
    contents: [{ uri: href, mimeType: about.mimeType, text }],
  }))
}

function addTemplate(server: McpServer): void {
  const complete = { id: (begun: string) => ['123', '124', '200'].filter((id) => id.startsWith(begun)) }
  const template = new ResourceTemplate('test://template/{id}/data', { list: undefined, complete })
  const about = { description: 'Data of any id', mimeType: 'application/json' }
  server.registerResource('template', template, about, ({ href }, { id }) => {
    const text = JSON.stringify({ id, templateTest: true, data: `Data for ID: ${String(id)}` })
    return { contents: [{ uri: href, mimeType: about.mimeType, text }] }
  })
}

/** Accepted and then without effect, since nothing here ever changes. */
function addSubscriptions({ server }: McpServer): void {
  server.setRequestHandler('resources/subscribe', () => ({}))
  server.setRequestHandler('resources/unsubscribe', () => ({}))
}
