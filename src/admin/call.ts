/** A call of a tool without MCP, by `POST /api/v1/tools/call`. */
import type { Context } from 'hono'
import { json } from './answer.ts'
import * as api from './api/tools.ts'
import { ask, type AskPorts, respondUnanswered } from './ask.ts'
import { readRawBody } from './body.ts'
import type { AdminEnv } from './env.ts'
import { respondWithProblem } from './problem.ts'

export async function callTool(c: Context<AdminEnv>, ports: AskPorts): Promise<Response> {
  const body = await readRawBody(c.req.raw, api.callTool.body)
  if (!body.ok) return respondWithProblem(body.error)
  c.set('isRecorded', true)
  const question = { method: 'tools/call', params: body.value.raw }
  const answered = await ask(c.req.raw, question, ports, c.get('background'))
  return answered.ok
    ? json(answered.value.result, 200, answered.value.headers)
    : respondUnanswered(answered.error)
}
