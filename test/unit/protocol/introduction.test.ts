import { expect, it } from 'vitest'
import { discoverResult, initializeResult } from '../../../src/protocol/introduction.ts'
import { decodeBody } from '../../../src/protocol/message.ts'

const capabilities = '{ "vendor/x" : {"big":12345678901234567890} }'
const decoded = decodeBody(
  new TextEncoder().encode(
    '{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18"}}',
  ),
)
if (!decoded.ok || decoded.value.is !== 'message') throw new Error('a message')
const { message } = decoded.value

it('introduces the gateway to a legacy client, capabilities byte for byte', () => {
  const result = initializeResult(message, { capabilities, instructions: 'Say "hi"\n' })
  expect(result).toContain(`"capabilities":${capabilities}`)
  expect(JSON.parse(result)).toMatchObject({
    protocolVersion: '2025-06-18',
    serverInfo: { name: 'switchyard' },
    instructions: 'Say "hi"\n',
  })
})

it('introduces the gateway to a modern client, for as long as a list holds', () => {
  const result = discoverResult({ capabilities, instructions: undefined })
  expect(result).toContain(`"capabilities":${capabilities}`)
  const value = JSON.parse(result)
  expect(value).toMatchObject({
    resultType: 'complete',
    ttlMs: 5_000,
    cacheScope: 'private',
    _meta: { 'io.modelcontextprotocol/serverInfo': { name: 'switchyard' } },
  })
  expect(value.supportedVersions[0]).toBe('2026-07-28')
  expect('instructions' in value).toBe(false)
})
