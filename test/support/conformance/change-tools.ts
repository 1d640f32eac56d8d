/** Tools that change what the server lists, so that listeners have something to hear of. */
import type { McpServer } from '@modelcontextprotocol/server'
import { textBlock, textResult } from './content.ts'
import type { Shared } from './state.ts'
import { addTool } from './tool.ts'

export function addChangeTools(server: McpServer, { revisions, announce }: Shared): void {
  const change = (list: keyof typeof revisions) => () => {
    revisions[list]++
    announce(list)
    return textResult(`The list of ${list} has changed ${revisions[list]} times.`)
  }
  addTool(server, 'test_trigger_tool_change', 'Changes the list of tools', change('tools'))
  addTool(server, 'test_trigger_prompt_change', 'Changes the list of prompts', change('prompts'))
  const told = (times: number) => `Listed after ${times} changes`
  addTool(server, 'test_changing_tool', told(revisions.tools), () => textResult(told(revisions.tools)))
  server.registerPrompt('test_changing_prompt', { description: told(revisions.prompts) }, () => ({
    messages: [{ role: 'user', content: textBlock(told(revisions.prompts)) }],
  }))
}
