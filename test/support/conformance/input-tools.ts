/** Tools that ask until they know enough. Legacy clients are asked by requests, which the SDK sees to. */
import { inputRequired, type McpServer } from '@modelcontextprotocol/server'
import { textResult } from './content.ts'
import {
  askFor,
  askModel,
  askToConfirm,
  capabilitiesOf,
  filledIn,
  isConfirmed,
  rootsOf,
  said,
} from './input.ts'
import type { States } from './state.ts'
import { addTool } from './tool.ts'

const NAME = 'test_input_required_result'

export function addInputTools(server: McpServer, states: States): void {
  addTool(server, `${NAME}_elicitation`, 'Asks for a name', (context) => {
    const name = filledIn(context, 'user_name', 'name')
    return name === undefined
      ? inputRequired({ inputRequests: { user_name: askFor('What is your name?', 'name') } })
      : textResult(`Hello, ${name}!`)
  })
  addTool(server, `${NAME}_sampling`, 'Asks the model of the client', (context) => {
    const answer = said(context, 'capital_question')
    const inputRequests = { capital_question: askModel('What is the capital of France?') }
    return answer === undefined ? inputRequired({ inputRequests }) : textResult(answer)
  })
  addTool(server, `${NAME}_list_roots`, 'Asks for the roots of the client', (context) => {
    const roots = rootsOf(context)
    return roots
      ? textResult(roots.join(', '))
      : inputRequired({ inputRequests: { client_roots: inputRequired.listRoots() } })
  })
  addTool(server, `${NAME}_multiple_inputs`, 'Asks three things at once', async (context) => {
    const [name, greeting] = [filledIn(context, 'user_name', 'name'), said(context, 'greeting')]
    const roots = rootsOf(context)
    if (name !== undefined && greeting !== undefined && roots) {
      return textResult(`${greeting} ${name}, of ${roots.length} roots`)
    }
    const inputRequests = {
      user_name: askFor('What is your name?', 'name'),
      greeting: askModel('Write a greeting'),
      client_roots: inputRequired.listRoots(),
    }
    return inputRequired({ inputRequests, requestState: await states.mint({ round: 1 }) })
  })
  addTool(server, `${NAME}_multi_round`, 'Asks twice', async (context) => {
    const { round = 0, name } = context.mcpReq.requestState<{ round: number; name?: string }>() ?? {}
    if (round === 2) return textResult(`${name} likes ${filledIn(context, 'step2', 'color')}.`)
    const inputRequests =
      round === 0
        ? { step1: askFor('What is your name?', 'name') }
        : { step2: askFor('Which colour do you like?', 'color') }
    const known = { name: filledIn(context, 'step1', 'name') ?? 'Nobody' }
    return inputRequired({ inputRequests, requestState: await states.mint({ round: round + 1, ...known }) })
  })
  for (const name of ['request_state', 'tampered_state']) addStateTool(server, `${NAME}_${name}`, states)
  addTool(server, `${NAME}_capabilities`, 'Asks for what the client can give', (context) => {
    if (context.mcpReq.inputResponses) return textResult('The client gave what it can.')
    const { elicitation, sampling, roots } = capabilitiesOf(context)
    const inputRequests = {
      ...(elicitation && { user_name: askFor('What is your name?', 'name') }),
      ...(sampling && { greeting: askModel('Write a greeting') }),
      ...(roots && { client_roots: inputRequired.listRoots() }),
    }
    return Object.keys(inputRequests).length === 0
      ? textResult('The client can give nothing.')
      : inputRequired({ inputRequests })
  })
  addTool(server, 'test_missing_capability', 'Needs the model of the client', (context) => {
    const answer = said(context, 'answer')
    return answer === undefined
      ? inputRequired({ inputRequests: { answer: askModel('Say one word') } })
      : textResult(answer)
  })
}

/** A state that was changed on its way is refused before the tool sees it. */
function addStateTool(server: McpServer, name: string, states: States): void {
  addTool(server, name, 'Asks once, with a state that must come back whole', async (context) => {
    const isBack = context.mcpReq.requestState() !== undefined && isConfirmed(context)
    if (isBack) return textResult('state-ok')
    const inputRequests = { confirm: askToConfirm() }
    return inputRequired({ inputRequests, requestState: await states.mint({ round: 1 }) })
  })
}
