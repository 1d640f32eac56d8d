/** The management API as a gateway describes it at /openapi.json, and requests made of that. */
import type { Example } from './example.ts'
import { type Answer, API_KEY, type Gateway } from './gateway.ts'

/** JSON Schema as far as the document goes. */
export type Schema = {
  readonly $ref?: string
  readonly type?: string | readonly string[]
  readonly const?: unknown
  readonly enum?: readonly unknown[]
  readonly anyOf?: readonly Schema[]
  readonly oneOf?: readonly Schema[]
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly additionalProperties?: Schema | boolean
  readonly items?: Schema
  readonly maxItems?: number
  readonly minItems?: number
  readonly minimum?: number
  readonly maximum?: number
}

export type Described = {
  readonly id: string
  readonly method: string
  /** `/api/v1/servers/{id}` */
  readonly path: string
  readonly params: readonly string[]
  readonly query: readonly { readonly name: string; readonly isRequired: boolean }[]
  readonly body: Schema | undefined
}

export type Document = {
  readonly operations: readonly Described[]
  /** What a schema refers to, or itself. */
  readonly resolve: (schema: Schema) => Schema
}

export async function readDocument(gateway: Gateway): Promise<Document> {
  const { body: document } = await gateway.fetch('/openapi.json')
  const operations = Object.entries<any>(document.paths).flatMap(([path, item]) =>
    Object.entries<any>(item).map(([method, operation]) => {
      const placed = (place: string): any[] =>
        (operation.parameters ?? []).filter((each: any) => each.in === place)
      return {
        id: operation.operationId,
        method: method.toUpperCase(),
        path,
        params: placed('path').map(({ name }) => name),
        query: placed('query').map(({ name, required }) => ({ name, isRequired: required === true })),
        body: operation.requestBody?.content['application/json'].schema,
      }
    }),
  )
  const resolve = (schema: Schema): Schema =>
    schema.$ref === undefined
      ? schema
      : resolve(document.components.schemas[schema.$ref.replace('#/components/schemas/', '')])
  return { operations, resolve }
}

/** The path with its parameters, as given: whoever wants them encoded does so. */
export const fillPath = (path: string, params: Readonly<Record<string, string>> = {}): string =>
  path.replaceAll(/\{(\w+)\}/g, (_, name) => params[name] ?? '')

/** `text`: the body as it goes out. */
export function send(
  gateway: Gateway,
  { method, path }: Described,
  { params, query }: Example,
  text?: string,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const search = query === undefined ? '' : `?${new URLSearchParams(query)}`
  const init = { method, headers: { 'x-api-key': API_KEY, 'content-type': 'application/json', ...headers } }
  return gateway.fetch(fillPath(path, params) + search, text === undefined ? init : { ...init, body: text })
}
