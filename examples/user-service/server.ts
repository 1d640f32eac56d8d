/** Looks up users. `node examples/user-service/server.ts` runs it on port 3003. */
import { McpServer } from '@modelcontextprotocol/server'
import * as z from 'zod'
import { runService, type Service, startService } from '../service.ts'

const NAME = 'user-service'

const user = z.object({ id: z.string(), name: z.string(), email: z.string(), memberSince: z.string() })

const USERS: ReadonlyMap<string, z.infer<typeof user>> = new Map(
  [
    { id: '456', name: 'Grace Hopper', email: 'grace@example.com', memberSince: '2019-12-09' },
    { id: '457', name: 'Edsger Dijkstra', email: 'edsger@example.com', memberSince: '2021-05-11' },
  ].map((item) => [item.id, item]),
)

function createUserServer(): McpServer {
  const server = new McpServer({ name: NAME, title: 'User service', version: '1.0.0' })
  server.registerTool(
    'getUserById',
    {
      title: 'Get user by id',
      description: 'Get user information by ID: name, e-mail address and date of joining.',
      inputSchema: z.object({ id: z.string().describe('The user id, for example "456"') }),
      outputSchema: user,
      annotations: { readOnlyHint: true, idempotentHint: true },
    },
    ({ id }) => {
      const found = USERS.get(id)
      if (found) return { content: [{ type: 'text', text: JSON.stringify(found) }], structuredContent: found }
      const text = `There is no user '${id}'. Known ids: ${[...USERS.keys()].join(', ')}.`
      return { content: [{ type: 'text', text }], isError: true }
    },
  )
  return server
}

export const startUserService = (port: number, token?: string): Promise<Service> =>
  startService({ name: NAME, port, createMcpServer: createUserServer, token })

if (import.meta.main) {
  const port = Number(process.env['USER_SERVICE_PORT'] ?? 3003)
  await runService({ name: NAME, port, createMcpServer: createUserServer })
}
