/** One way to add a tool without arguments; most that the suites call have none. */
import type {
  CallToolResult,
  InputRequiredResult,
  McpServer,
  ServerContext,
} from '@modelcontextprotocol/server'

export type ToolAnswer = CallToolResult | InputRequiredResult

export function addTool(
  server: McpServer,
  name: string,
  description: string,
  answer: (context: ServerContext) => ToolAnswer | Promise<ToolAnswer>,
): void {
  server.registerTool(name, { description }, async (context) => await answer(context))
}
