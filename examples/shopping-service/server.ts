/** Looks up products of a small shop. `node examples/shopping-service/server.ts` runs it on port 3002. */
import { McpServer } from '@modelcontextprotocol/server'
import * as z from 'zod'
import { runService, type Service, startService } from '../service.ts'

const NAME = 'shopping-service'

const product = z.object({
  id: z.string(),
  name: z.string(),
  priceCents: z.number().int(),
  currency: z.string(),
  inStock: z.boolean(),
})

const PRODUCTS: ReadonlyMap<string, z.infer<typeof product>> = new Map(
  [
    { id: '123', name: 'Mechanical keyboard', priceCents: 12_900, currency: 'EUR', inStock: true },
    { id: '124', name: 'Trackball', priceCents: 5_950, currency: 'EUR', inStock: false },
    { id: '125', name: 'Desk lamp', priceCents: 4_400, currency: 'EUR', inStock: true },
  ].map((item) => [item.id, item]),
)

function createShoppingServer(): McpServer {
  const server = new McpServer({ name: NAME, title: 'Shopping service', version: '1.0.0' })
  server.registerTool(
    'getProductById',
    {
      title: 'Get product by id',
      description: 'Get product information by ID: name, price and whether it is in stock.',
      inputSchema: z.object({ id: z.string().describe('The product id, for example "123"') }),
      outputSchema: product,
      annotations: { readOnlyHint: true, idempotentHint: true },
    },
    ({ id }) => {
      const found = PRODUCTS.get(id)
      if (found) return { content: [{ type: 'text', text: JSON.stringify(found) }], structuredContent: found }
      const text = `There is no product '${id}'. Known ids: ${[...PRODUCTS.keys()].join(', ')}.`
      return { content: [{ type: 'text', text }], isError: true }
    },
  )
  return server
}

export const startShoppingService = (port: number, token?: string): Promise<Service> =>
  startService({ name: NAME, port, createMcpServer: createShoppingServer, token })

if (import.meta.main) {
  const port = Number(process.env['SHOPPING_SERVICE_PORT'] ?? 3002)
  await runService({ name: NAME, port, createMcpServer: createShoppingServer })
}
