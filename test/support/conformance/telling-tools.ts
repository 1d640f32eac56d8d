/** Tools that say something on the way to their answer, or let go of its stream. */
import type { McpServer } from '@modelcontextprotocol/server'
import { textResult } from './content.ts'
import { addTool } from './tool.ts'

const STEP_MS = 50
/** Longer than a client needs to see its stream closed, shorter than the retry it is told. */
const WORK_WITHOUT_STREAM_MS = 100

const pass = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

export function addTellingTools(server: McpServer): void {
  addTool(server, 'test_tool_with_logging', 'Logs three messages', async ({ mcpReq }) => {
    await mcpReq.log('info', 'Tool execution started')
    await pass(STEP_MS)
    await mcpReq.log('info', 'Tool processing data')
    await pass(STEP_MS)
    await mcpReq.log('info', 'Tool execution completed')
    return textResult('Logged three messages.')
  })
  addTool(server, 'test_logging_tool', 'Logs one message, if the caller wants any', async ({ mcpReq }) => {
    await mcpReq.log('info', 'Only for callers that named a level')
    return textResult('Logged.')
  })
  addTool(server, 'test_tool_with_progress', 'Reports its progress', async ({ mcpReq }) => {
    const progressToken = mcpReq._meta?.progressToken
    for (const progress of [0, 50, 100]) {
      // Nobody may be told of progress who has not given a token.
      if (progressToken !== undefined) {
        const params = { progressToken, progress, total: 100, message: `${progress} of 100` }
        await mcpReq.notify({ method: 'notifications/progress', params })
      }
      await pass(STEP_MS)
    }
    return textResult(progressToken === undefined ? 'Nobody asked for progress.' : 'Reported progress.')
  })
  addTool(server, 'test_reconnection', 'Closes its stream before it answers', async ({ http }) => {
    http?.closeSSE?.()
    await pass(WORK_WITHOUT_STREAM_MS)
    return textResult('The client came back for this.')
  })
  addTool(server, 'test_streaming_elicitation', 'Answers without asking for anything', () =>
    textResult('Nothing was asked on this stream.'),
  )
}
