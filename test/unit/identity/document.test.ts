import { describe, expect, it } from 'vitest'
import { fetchDocument, metadataUrls } from '../../../src/identity/document.ts'
import { startIssuer } from '../../support/issuer.ts'

describe('the metadata of an issuer', () => {
  it.each([
    [
      'https://auth.example',
      [
        'https://auth.example/.well-known/oauth-authorization-server',
        'https://auth.example/.well-known/openid-configuration',
      ],
    ],
    [
      'https://auth.example/tenant/',
      [
        'https://auth.example/.well-known/oauth-authorization-server/tenant',
        'https://auth.example/.well-known/openid-configuration/tenant',
        'https://auth.example/tenant/.well-known/openid-configuration',
      ],
    ],
  ])('of %s is looked for where the specification says, in its order', (issuer, urls) => {
    expect(metadataUrls(issuer)).toEqual(urls)
  })
})

describe('a document', () => {
  it('S01 is fetched from no address that may not be called', async () => {
    const issuer = await startIssuer()
    const url = `${issuer.origin}/jwks`
    const signal = AbortSignal.timeout(5_000)
    expect(await fetchDocument(url, async () => false, signal)).toBeUndefined()
    expect(issuer.requests).toEqual([])
    expect(await fetchDocument(url, async () => true, signal)).toHaveProperty('keys')
    await issuer.close()
  })

  it.each(['[]', '"text"', '{', '', 'null'])('that says %s is none', async (text) => {
    const issuer = await startIssuer()
    issuer.say((response) => {
      response.end(text)
      return true
    })
    expect(await fetchDocument(issuer.url, async () => true, AbortSignal.timeout(5_000))).toBeUndefined()
    await issuer.close()
  })
})
