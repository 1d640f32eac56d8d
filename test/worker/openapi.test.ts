/** The document that a gateway serves of its management API: valid, whole, and true of that gateway. */
import { Validator } from '@seriousme/openapi-schema-validator'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Answer, Gateway } from '../support/gateway.ts'
import { startStack, type Stack } from '../support/stack.ts'

type Operation = {
  /** As a test is called. */
  readonly name: string
  readonly method: string
  readonly path: string
  readonly told: any
}

let stack: Stack
let gateway: Gateway
let answer: Answer
let operations: readonly Operation[]
beforeAll(async () => {
  stack = await startStack()
  gateway = await stack.gateway()
  answer = await gateway.fetch('/openapi.json')
  operations = Object.entries<any>(answer.body.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, told]) => ({
      name: `${method.toUpperCase()} ${path}`,
      method,
      path,
      told,
    })),
  )
})
afterAll(() => stack.close())

/** Names of the operations that something is wrong with. */
const wrong = (isRight: (operation: Operation) => boolean): string[] =>
  operations.filter((operation) => !isRight(operation)).map(({ name }) => name)

const isOpen = ({ security }: any): boolean => security?.length === 0

describe('the OpenAPI document', () => {
  it('is served to anyone, as JSON', () => {
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'application/json'])
    expect(answer.body.openapi).toMatch(/^3\.1\./)
  })

  it('is valid', async () => {
    const validator = new Validator()
    const { valid, errors } = await validator.validate(structuredClone(answer.body))
    expect([valid, errors, validator.version]).toEqual([true, undefined, '3.1'])
  })

  it('refers to nothing that is not in it', () => {
    const references = [...answer.text.matchAll(/"\$ref":"([^"]*)"/g)].map(([, reference = '']) => reference)
    expect(references.length).toBeGreaterThan(0)
    const resolve = (reference: string): unknown =>
      reference.startsWith('#/')
        ? reference
            .slice(2)
            .split('/')
            .reduce(
              (value: any, key) => value?.[key.replaceAll('~1', '/').replaceAll('~0', '~')],
              answer.body,
            )
        : undefined
    expect(references.filter((reference) => resolve(reference) === undefined)).toEqual([])
  })

  it('calls each operation by a name of its own, and says what it does under a tag that it explains', () => {
    const ids = operations.map(({ told }) => told.operationId)
    expect(new Set(ids).size).toBe(ids.length)
    expect(wrong(({ told }) => /^[a-z][A-Za-z]+$/.test(told.operationId))).toEqual([])
    expect(wrong(({ told }) => /^[A-Z].*[^.]$/.test(told.summary ?? ''))).toEqual([])
    const tags = new Set(answer.body.tags.map(({ name }: any) => name))
    expect(wrong(({ told }) => told.tags?.length === 1 && tags.has(told.tags[0]))).toEqual([])
  })

  it('declares every parameter of a path, and no other', () => {
    const named = (path: string): string[] => [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name)
    const declared = ({ parameters = [] }: any): string[] =>
      parameters.flatMap((each: any) => (each.in === 'path' && each.required ? [each.name] : []))
    expect(wrong(({ path, told }) => `${named(path)}` === `${declared(told)}`)).toEqual([])
  })

  it('says how each operation refuses', () => {
    const isProblem = (response: any): boolean => response?.$ref === '#/components/responses/Problem'
    expect(Object.keys(answer.body.components.responses.Problem.content)).toEqual([
      'application/problem+json',
    ])
    expect(wrong(({ told }) => isOpen(told) || isProblem(told.responses['401']))).toEqual([])
    expect(wrong(({ told }) => !told.requestBody || isProblem(told.responses['400']))).toEqual([])
    expect(wrong(({ path, told }) => !path.includes('{') || isProblem(told.responses['404']))).toEqual([])
    expect(wrong(({ told }) => isProblem(told.responses.default))).toEqual([])
  })

  it('names the credentials that there are, and tells which operations ask for one', async () => {
    const schemes = Object.keys(answer.body.components.securitySchemes)
    const named = [answer.body.security, ...operations.map(({ told }) => told.security ?? [])].flat()
    expect(named.flatMap(Object.keys).filter((scheme) => !schemes.includes(scheme))).toEqual([])
    for (const { name, method, path, told } of operations) {
      const init = { method: method.toUpperCase() }
      const { status } = await gateway.fetch(path.replace(/\{\w+\}/g, 'x'), init)
      expect([name, status === 401]).toEqual([name, !isOpen(told)])
      expect([name, status]).not.toEqual([name, 404])
    }
  })
})
