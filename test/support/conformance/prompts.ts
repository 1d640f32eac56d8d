/** The prompts that the suites ask for: plain, with arguments and their completion, and one that asks back. */
import {
  completable,
  type GetPromptResult,
  inputRequired,
  type McpServer,
  type ServerContext,
} from '@modelcontextprotocol/server'
import { z } from 'zod'
import { pixelBlock, resourceBlock, textBlock } from './content.ts'
import { askFor, filledIn } from './input.ts'

type Content = GetPromptResult['messages'][number]['content']

const messagesOf = (...contents: readonly Content[]): GetPromptResult => ({
  messages: contents.map((content) => ({ role: 'user', content })),
})

const WORDS = ['test', 'tested', 'testing', 'other']
const suggest = (begun: string | undefined): string[] => WORDS.filter((word) => word.startsWith(begun ?? ''))

export function addPrompts(server: McpServer): void {
  server.registerPrompt('test_simple_prompt', { description: 'Has no arguments' }, () =>
    messagesOf(textBlock('This is a simple prompt for testing.')),
  )
  server.registerPrompt(
    'test_prompt_with_arguments',
    {
      description: 'Has two arguments',
      argsSchema: z.object({
        arg1: completable(z.string(), suggest),
        arg2: completable(z.string(), suggest),
      }),
    },
    ({ arg1, arg2 }) => messagesOf(textBlock(`Prompt with arguments: arg1='${arg1}', arg2='${arg2}'`)),
  )
  server.registerPrompt(
    'test_prompt_with_embedded_resource',
    { description: 'Embeds a resource', argsSchema: z.object({ resourceUri: z.string() }) },
    ({ resourceUri }) =>
      messagesOf(
        resourceBlock(resourceUri, 'text/plain', 'The text of an embedded resource.'),
        textBlock('Please process the embedded resource above.'),
      ),
  )
  server.registerPrompt('test_prompt_with_image', { description: 'Holds an image' }, () =>
    messagesOf(pixelBlock, textBlock('Please analyze the image above.')),
  )
  addAskingPrompt(server)
}

function addAskingPrompt(server: McpServer): void {
  const description = 'Asks for something before it is given'
  server.registerPrompt('test_input_required_result_prompt', { description }, (context: ServerContext) => {
    const given = filledIn(context, 'user_context', 'context')
    return given === undefined
      ? inputRequired({ inputRequests: { user_context: askFor('In which context?', 'context') } })
      : messagesOf(textBlock(`Mind this context: ${given}`))
  })
}
