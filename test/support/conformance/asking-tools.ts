/** Tools that send requests of their own to legacy clients and wait. In the modern era they fail, as they must. */
import { fromJsonSchema, type McpServer } from '@modelcontextprotocol/server'
import { textResult } from './content.ts'
import { addTool } from './tool.ts'

type Properties = Readonly<Record<string, object>>

const formOf = (message: string, properties: Properties, required: readonly string[] = []) => ({
  method: 'elicitation/create' as const,
  params: { message, requestedSchema: { type: 'object', properties, required } },
})

const withText = (name: string) =>
  fromJsonSchema<Record<string, string>>({
    type: 'object',
    properties: { [name]: { type: 'string' } },
    required: [name],
  })

export function addAskingTools(server: McpServer): void {
  server.registerTool(
    'test_sampling',
    { description: 'Has the client ask its model', inputSchema: withText('prompt') },
    async ({ prompt = '' }, { mcpReq }) => {
      const messages = [{ role: 'user', content: { type: 'text', text: prompt } }]
      const params = { messages, maxTokens: 100 }
      const { content } = await mcpReq.send({ method: 'sampling/createMessage', params })
      return textResult(`LLM response: ${JSON.stringify(content)}`)
    },
  )
  server.registerTool(
    'test_elicitation',
    { description: 'Has the client ask its user', inputSchema: withText('message') },
    async ({ message = '' }, { mcpReq }) => {
      const required = Object.keys(PERSON)
      const { action, content } = await mcpReq.send(formOf(message, PERSON, required))
      return textResult(`User response: ${action}, ${JSON.stringify(content ?? {})}`)
    },
  )
  addFormTool(server, 'test_elicitation_sep1034_defaults', 'Sends a form with default values', DEFAULTS)
  addFormTool(server, 'test_elicitation_sep1330_enums', 'Sends a form with every way to choose', CHOICES)
}

function addFormTool(server: McpServer, name: string, description: string, properties: Properties): void {
  addTool(server, name, description, async ({ mcpReq }) => {
    const { action, content } = await mcpReq.send(formOf('Fill in this form', properties))
    return textResult(`Elicitation completed: action=${action}, content=${JSON.stringify(content ?? {})}`)
  })
}

const PERSON: Properties = {
  username: { type: 'string', description: 'How the user is called' },
  email: { type: 'string', description: 'Where the user is reached' },
}

const DEFAULTS: Properties = {
  name: { type: 'string', default: 'John Doe' },
  age: { type: 'integer', default: 30 },
  score: { type: 'number', default: 95.5 },
  status: { type: 'string', enum: ['active', 'inactive', 'pending'], default: 'active' },
  verified: { type: 'boolean', default: true },
}

const OPTIONS = ['option1', 'option2', 'option3']
const TITLED = ['First', 'Second', 'Third'].map((title, index) => ({ const: `value${index + 1}`, title }))
const MANY = { type: 'array', minItems: 1, maxItems: 3 }

const CHOICES: Properties = {
  untitledSingle: { type: 'string', enum: OPTIONS },
  titledSingle: { type: 'string', oneOf: TITLED },
  legacyEnum: {
    type: 'string',
    enum: ['opt1', 'opt2', 'opt3'],
    enumNames: ['Option One', 'Option Two', 'Option Three'],
  },
  untitledMulti: { ...MANY, items: { type: 'string', enum: OPTIONS } },
  titledMulti: { ...MANY, items: { anyOf: TITLED } },
}
