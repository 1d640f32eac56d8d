/** The management API as its operations type it, for whoever calls it in TypeScript. */
import type { Hono } from 'hono'
import { type ClientRequestOptions, hc } from 'hono/client'
import type * as z from 'zod'
import type { operations } from './api/operations.ts'
import type { Operation } from './operation.ts'

/** `client.api.v1.servers[':id'].$put({ param: { id }, json: { timeoutMs: 5_000 } })`; answers are typed. */
export const openClient = (url: string, options?: ClientRequestOptions) =>
  hc<Hono<object, ApiSchema, '/'>>(url, options)

export type ApiSchema = Joined<{ [Id in keyof typeof operations]: RouteOf<(typeof operations)[Id]> }>

type RouteOf<Op extends Operation> = {
  [Path in Op['path']]: {
    [Method in `$${Op['method']}`]: {
      input: Params<Op['path']> & Query<Op> & Body<Op>
      output: z.output<Op['answer']>
      outputFormat: Op extends { answerType: 'text/plain' } ? 'text' : 'json'
      status: Op extends { status: 201 } ? 201 : 200
    }
  }
}

type Params<Path extends string> =
  Names<Path> extends never ? object : { param: { [Name in Names<Path>]: string } }

type Names<Path extends string> = Path extends `${string}:${infer Name}/${infer Rest}`
  ? Name | Names<`/${Rest}`>
  : Path extends `${string}:${infer Name}`
    ? Name
    : never

type Query<Op> = Op extends { query: infer Schema extends z.ZodType }
  ? object extends z.input<Schema>
    ? { query?: Texts<z.input<Schema>> }
    : { query: Texts<z.input<Schema>> }
  : object

type Texts<Given> = { [Name in keyof Given]: string }

type Body<Op> = Op extends { body: infer Schema extends z.ZodType } ? { json: z.input<Schema> } : object

/** All members at once: two operations on one path stand beside each other. */
type Joined<Routes> = { [Id in keyof Routes]: (route: Routes[Id]) => void }[keyof Routes] extends (
  route: infer Route,
) => void
  ? Route
  : never
