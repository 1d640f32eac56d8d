/** Tools that answer at once: one for each kind of content, one that fails, one with a large schema. */
import { fromJsonSchema, type McpServer } from '@modelcontextprotocol/server'
import { pixelBlock, resourceBlock, resultOf, SILENCE, textBlock, textResult } from './content.ts'
import { addTool } from './tool.ts'

export function addPlainTools(server: McpServer): void {
  addTool(server, 'test_simple_text', 'Answers with text', () =>
    textResult('This is a simple text response for testing.'),
  )
  addTool(server, 'test_image_content', 'Answers with an image', () => resultOf(pixelBlock))
  addTool(server, 'test_audio_content', 'Answers with a sound', () =>
    resultOf({ type: 'audio', data: SILENCE, mimeType: 'audio/wav' }),
  )
  addTool(server, 'test_embedded_resource', 'Answers with a resource', () =>
    resultOf(resourceBlock('test://embedded-resource', 'text/plain', 'The text of an embedded resource.')),
  )
  addTool(server, 'test_multiple_content_types', 'Answers with text, an image and a resource', () =>
    resultOf(
      textBlock('Three kinds of content:'),
      pixelBlock,
      resourceBlock('test://mixed-content-resource', 'application/json', '{"test":"data","value":123}'),
    ),
  )
  addTool(server, 'test_error_handling', 'Fails always', () => {
    throw new Error('This tool intentionally returns an error for testing')
  })
  addSchemaTool(server)
  addMirroringTool(server)
}

/** Every keyword of JSON Schema 2020-12 that must survive a listing (SEP-1613, SEP-2106). */
function addSchemaTool(server: McpServer): void {
  const inputSchema = fromJsonSchema({
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    type: 'object',
    $defs: {
      address: {
        $anchor: 'addressDef',
        type: 'object',
        properties: { street: { type: 'string' }, city: { type: 'string' } },
      },
    },
    properties: {
      name: { type: 'string' },
      address: { $ref: '#/$defs/address' },
      contactMethod: { type: 'string', enum: ['phone', 'email'] },
      phone: { type: 'string' },
      email: { type: 'string' },
    },
    allOf: [{ anyOf: [{ required: ['phone'] }, { required: ['email'] }] }],
    if: { properties: { contactMethod: { const: 'phone' } }, required: ['contactMethod'] },
    // oxlint-disable-next-line unicorn/no-thenable -- a keyword of JSON Schema
    then: { required: ['phone'] },
    else: { required: ['email'] },
    additionalProperties: false,
  })
  const description = 'Has a schema with the keywords of JSON Schema 2020-12'
  server.registerTool('json_schema_2020_12_tool', { description, inputSchema }, (given) =>
    textResult(`Called with ${JSON.stringify(given)}`),
  )
}

/** An argument that a header repeats (2026-07-28, "Custom headers"). */
function addMirroringTool(server: McpServer): void {
  const region = { type: 'string', 'x-mcp-header': 'Region' } as const
  const properties = { region, level: { type: 'integer' } } as const
  const inputSchema = fromJsonSchema<{ region?: string }>({ type: 'object', properties })
  const description = 'Has an argument that a header repeats'
  server.registerTool('test_mirrored_argument', { description, inputSchema }, ({ region = 'no region' }) =>
    textResult(region),
  )
}
