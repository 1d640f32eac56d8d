import { Validator } from '@seriousme/openapi-schema-validator'
import * as z from 'zod'
import { describe, expect, it } from 'vitest'
import { operations } from '../../../src/admin/api/operations.ts'
import { describeApi } from '../../../src/admin/openapi.ts'
import { operation } from '../../../src/admin/operation.ts'

const thing = z.object({ id: z.string() }).meta({ id: 'Thing' })
const sample = operation({
  method: 'put',
  path: '/things/:id/parts/:part',
  tag: 'Things',
  summary: 'Change a part',
  query: z.strictObject({ depth: z.string(), cursor: z.string().optional() }),
  body: z.strictObject({ name: z.string().default('a') }),
  answer: z.object({ items: z.array(thing) }),
  isConditional: true,
})
const described = (): any => JSON.parse(describeApi({ changePart: sample }))

describe('the OpenAPI document', () => {
  it('is valid', async () => {
    const { valid, errors } = await new Validator().validate(JSON.parse(describeApi(operations)))
    expect([valid, errors]).toEqual([true, undefined])
  })

  it('has every parameter, where it stands', () => {
    const { parameters } = described().paths['/things/{id}/parts/{part}'].put
    const named = parameters.map((each: any) => [each.in, each.name, each.required ?? false])
    expect(named).toEqual([
      ['path', 'id', true],
      ['path', 'part', true],
      ['query', 'depth', true],
      ['query', 'cursor', false],
      ['header', 'If-Match', false],
    ])
  })

  it('says what a body may be, and forbids what is unknown', () => {
    const { schema } =
      described().paths['/things/{id}/parts/{part}'].put.requestBody.content['application/json']
    expect([schema.required, schema.additionalProperties]).toEqual([undefined, false])
  })

  it('names shared shapes once, and lets answers grow', () => {
    const { components, paths } = described()
    const { schema } = paths['/things/{id}/parts/{part}'].put.responses['200'].content['application/json']
    expect(schema.properties.items.items).toEqual({ $ref: '#/components/schemas/Thing' })
    expect(components.schemas.Thing.additionalProperties).toBeUndefined()
  })
})
