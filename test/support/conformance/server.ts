/** One MCP server with everything that the scenarios of the official conformance suites name. */
import { McpServer } from '@modelcontextprotocol/server'
import { addAskingTools } from './asking-tools.ts'
import { addChangeTools } from './change-tools.ts'
import { addInputTools } from './input-tools.ts'
import { addPlainTools } from './plain-tools.ts'
import { addPrompts } from './prompts.ts'
import { addResources } from './resources.ts'
import type { Shared } from './state.ts'
import { addTellingTools } from './telling-tools.ts'

const capabilities = {
  tools: { listChanged: true },
  prompts: { listChanged: true },
  resources: { subscribe: true, listChanged: true },
  completions: {},
  logging: {},
}

/** A new server: one for each legacy session, and one for each modern request. */
export function createServer(shared: Shared): McpServer {
  const server = new McpServer(
    { name: 'conformance-fixture', version: '1.0.0' },
    { capabilities, requestState: { verify: shared.states.verify } },
  )
  addPlainTools(server)
  addTellingTools(server)
  addAskingTools(server)
  addInputTools(server, shared.states)
  addChangeTools(server, shared)
  addPrompts(server)
  addResources(server)
  return server
}
