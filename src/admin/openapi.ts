/** The management API as an OpenAPI 3.1 document, made of its operations: their schemas are what bodies are checked by. */
import * as z from 'zod'
import { GATEWAY_INFO } from '../protocol/version.ts'
import { problem } from './api/shape.ts'
import { MAX_PARAMETER_CHARS, type Operation } from './operation.ts'

type Json = Readonly<Record<string, unknown>>
type Schema = z.core.JSONSchema.JSONSchema

/** The text of the document. */
export function describeApi(operations: Readonly<Record<string, Operation>>): string {
  const schemas: Record<string, unknown> = {}
  const refer: Refer = (schema, io) => {
    const {
      $schema: _,
      $defs,
      ...described
    } = z.toJSONSchema(schema, {
      io,
      unrepresentable: 'any',
      // Whoever reads answers must bear members that come later.
      override: ({ jsonSchema }) => {
        if (io === 'output' && jsonSchema.additionalProperties === false)
          delete jsonSchema.additionalProperties
      },
    })
    Object.assign(schemas, $defs)
    return described
  }
  const paths: Record<string, Record<string, Json>> = {}
  for (const [id, operation] of Object.entries(operations)) {
    const path = operation.path.replace(PARAMETER, '{$1}')
    paths[path] = { ...paths[path], [operation.method]: describeOperation(id, operation, refer) }
  }
  const problems = {
    description: 'Why not.',
    content: { 'application/problem+json': { schema: refer(problem, 'output') } },
  }
  const document = {
    openapi: '3.1.1',
    info: {
      title: GATEWAY_INFO.title,
      version: GATEWAY_INFO.version,
      summary: 'The management API of an MCP federation gateway',
      description: DESCRIPTION,
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/' }],
    security: [{ apiKey: [] }, { bearer: [] }],
    tags: [...new Set(Object.values(operations).map(({ tag }) => tag))].map((name) => ({ name })),
    paths,
    components: {
      schemas,
      responses: { Problem: problems },
      securitySchemes: {
        apiKey: { type: 'apiKey', in: 'header', name: 'X-API-Key' },
        bearer: { type: 'http', scheme: 'bearer' },
      },
    },
  }
  return JSON.stringify(document).replaceAll('"#/$defs/', '"#/components/schemas/')
}

const DESCRIPTION =
  'Agents speak MCP at `/mcp`, `/mcp/{service}` and `/mcp/{toolset}`; this is what operators use. Errors are problems (RFC 9457) with a stable `code`. Lists give a `nextCursor` while there is more.'

const PARAMETER = /:(\w+)/g

/** A schema as it stands in the document; those with an id of their own stand in it once. */
type Refer = (schema: z.ZodType, io: 'input' | 'output') => Schema

function describeOperation(id: string, operation: Operation, refer: Refer): Json {
  const { tag, summary, description, body, answer, status = 200, isPublic, isDeprecated } = operation
  const { answerType = 'application/json' } = operation
  const parameters = parametersOf(operation, refer)
  return {
    operationId: id,
    tags: [tag],
    summary,
    ...(description !== undefined && { description }),
    ...(isDeprecated && { deprecated: true }),
    ...(isPublic && { security: [] }),
    ...(parameters.length > 0 && { parameters }),
    ...(body && { requestBody: { required: true, content: asJson(refer(body, 'input')) } }),
    responses: {
      [status]: {
        description: summary,
        content: { [answerType]: { schema: refer(answer, 'output') } },
        ...etagOf(operation),
      },
      ...Object.fromEntries(refusalsOf(operation).map((code) => [code, PROBLEM])),
    },
  }
}

const asJson = (schema: Json): Json => ({ 'application/json': { schema } })

const PROBLEM = { $ref: '#/components/responses/Problem' }

function refusalsOf({ path, query, body, isConditional, isPublic }: Operation): readonly string[] {
  const hasParameters = path.includes(':')
  const named: readonly [code: string, isPossible: boolean][] = [
    ['400', hasParameters || body !== undefined || query !== undefined],
    ['401', isPublic !== true || body !== undefined],
    ['403', isPublic !== true || body !== undefined],
    ['404', hasParameters],
    ['412', isConditional === true],
  ]
  return [...named.flatMap(([code, isPossible]) => (isPossible ? [code] : [])), 'default']
}

function etagOf({ isTagged }: Operation): Json {
  return isTagged ? { headers: { ETag: { schema: { type: 'string' } } } } : {}
}

function parametersOf({ path, query, isConditional }: Operation, refer: Refer): readonly Json[] {
  const inPath = [...path.matchAll(PARAMETER)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string', maxLength: MAX_PARAMETER_CHARS },
  }))
  const { properties = {}, required = [] } = query ? refer(query, 'input') : {}
  const inQuery = Object.entries(properties).map(([name, schema]) => ({
    name,
    in: 'query',
    ...(required.includes(name) && { required: true }),
    schema,
  }))
  return [...inPath, ...inQuery, ...(isConditional ? [IF_MATCH] : [])]
}

const IF_MATCH = {
  name: 'If-Match',
  in: 'header',
  description: 'The `ETag` of what was read, or `*`: where it is another by now, nothing is changed (412).',
  schema: { type: 'string' },
}
