/** The ways in which a caller can come, from one that nobody looks at to one of whom everything is looked at. */
import { callShot } from '../load/request.ts'
import type { Service, Yard } from '../load/yard.ts'
import type { Kind } from './kind.ts'

const AGENT_TYPE = 'researcher'
/** Rules that say nothing about the tool, and one that does. */
const RULES = 200

/** The first is the open one, with which the others are compared. */
export async function callersOf(yard: Yard, { target }: Service): Promise<readonly Kind[]> {
  const { gateway } = yard
  const need = async (
    method: string,
    path: string,
    body: object,
  ): Promise<Readonly<Record<string, string>>> => {
    const answer = await gateway.manage(method, path, body)
    if (answer.status >= 300) throw new Error(`${method} ${path} was refused: ${answer.text}`)
    return answer.body
  }
  const shot = callShot(target.url, target.tool, { text: 'hi' })
  const { authorization: _, ...open } = shot.headers
  const as = (name: string, headers: Readonly<Record<string, string>>): Kind => ({
    name,
    shot: { ...shot, headers: { ...open, ...headers } },
  })
  const { key = '' } = await need('POST', '/api/v1/keys', { name: 'bench', role: 'user' })
  const limited = { name: 'bench, limited', role: 'user', agentType: AGENT_TYPE, scopes: ['mcp:write'] }
  const { key: limitedKey = '' } = await need('POST', '/api/v1/keys', limited)
  const denied = Array.from({ length: RULES }, (_, at) => `another_tool_${at}`)
  const rules = denied.map((tool) => ({ agentType: AGENT_TYPE, tool, allowed: false }))
  await need('PUT', '/api/v1/permissions', [
    ...rules,
    { agentType: AGENT_TYPE, tool: target.tool, allowed: true },
  ])
  const login = { username: 'bench', password: 'a-password-of-the-bench' }
  await need('POST', '/api/v1/users', { ...login, role: 'user' })
  const { token = '' } = await need('POST', '/api/v1/auth/login', login)
  return [
    as('open', {}),
    as('static token', { authorization: shot.headers['authorization'] ?? '' }),
    as('API key', { authorization: `Bearer ${key}` }),
    as(`API key with scopes, ${RULES + 1} rules`, { authorization: `Bearer ${limitedKey}` }),
    as('JWT', { authorization: `Bearer ${token}` }),
  ]
}
