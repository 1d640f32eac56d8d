/** What is done through the gateway in each scenario for clients that needs more than a registration. */
import type { Client } from '@modelcontextprotocol/client'

export type Context = {
  readonly toolCalls?: readonly { readonly name: string; readonly arguments: Record<string, unknown> }[]
}
export type Drive = (client: Client, context: Context) => Promise<void>

const call =
  (name: string, given: Record<string, unknown> = {}): Drive =>
  async (client) => {
    await client.callTool({ name, arguments: given })
  }

const callEach =
  (...names: readonly string[]): Drive =>
  async (client) => {
    for (const name of names) await client.callTool({ name, arguments: {} })
  }

export const DRIVES: Readonly<Record<string, Drive>> = {
  tools_call: call('add_numbers', { a: 5, b: 3 }),
  'elicitation-sep1034-client-defaults': call('test_client_elicitation_defaults'),
  'sse-retry': call('test_reconnection'),
  'sep-2322-client-request-state': callEach(
    'test_mrtr_echo_state',
    'test_mrtr_unrelated',
    'test_mrtr_no_state',
    'test_mrtr_no_result_type',
  ),
  'http-standard-headers': async (client) => {
    for (const { name } of (await client.listTools()).tools) await client.callTool({ name, arguments: {} })
    for (const { uri } of (await client.listResources()).resources) await client.readResource({ uri })
    for (const { name } of (await client.listPrompts()).prompts) await client.getPrompt({ name })
  },
  'http-custom-headers': async (client, { toolCalls = [] }) => {
    await client.listTools()
    for (const toolCall of toolCalls) await client.callTool(toolCall)
  },
  'http-invalid-tool-headers': async (client) => {
    for (const { name } of (await client.listTools()).tools) {
      await client.callTool({ name, arguments: { region: 'north' } })
    }
  },
  'json-schema-2020-12-preservation': async (client) => {
    const { tools } = await client.listTools()
    const schema = tools.find(({ name }) => name === 'json_schema_2020_12_tool')?.inputSchema
    await client.callTool({ name: 'json_schema_echo', arguments: { schema } })
  },
}
