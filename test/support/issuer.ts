/** An issuer of tokens as the gateway sees it: its metadata and its keys, counted, with a dial for what goes wrong. */
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import { exportJWK, exportSPKI, generateKeyPair, type JWK, type JWTPayload, SignJWT } from 'jose'

export const PUBLIC_URL = 'https://mcp.example.com'

export type Issuer = Awaited<ReturnType<typeof startIssuer>>
type Respond = (response: ServerResponse, path: string) => boolean

/** `path`: of the issuer itself, such as that of one tenant among several. */
export async function startIssuer(alg = 'ES256', path = '') {
  const pair = await generateKeyPair(alg, { extractable: true })
  const requests: string[] = []
  let respond: Respond = () => false
  let published: readonly JWK[] = [{ ...(await exportJWK(pair.publicKey)), kid: 'first' }]
  const server = createServer((request, response) => {
    const asked = request.url ?? ''
    requests.push(asked)
    if (respond(response, asked)) return
    const document = documents()[asked]
    response.writeHead(document ? 200 : 404, { 'content-type': 'application/json' })
    response.end(JSON.stringify(document ?? {}))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const origin = `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`
  const url = `${origin}${path}`
  const documents = (): Record<string, object> => ({
    [`/.well-known/oauth-authorization-server${path}`]: { issuer: url, jwks_uri: `${origin}/jwks` },
    '/jwks': { keys: published },
  })
  const usual = (): JWTPayload => {
    const now = Math.floor(Date.now() / 1_000)
    return { iss: url, sub: 'ada', aud: `${PUBLIC_URL}/mcp`, iat: now, exp: now + 600, scope: 'mcp:write' }
  }
  return {
    url,
    origin,
    requests,
    /** How often its keys were fetched. */
    fetches: (): number => requests.filter((asked) => asked === '/jwks').length,
    /** What it says instead; `true`: it said something. */
    say: (instead: Respond): void => void (respond = instead),
    publish: (keys: readonly JWK[]): void => void (published = keys),
    publicKey: async (): Promise<string> => await exportSPKI(pair.publicKey),
    /** A token that counts, but for what is changed; a claim of `undefined` is left out. */
    sign: async (
      claims: Readonly<Record<string, unknown>> = {},
      header: object = {},
      key = pair.privateKey,
    ): Promise<string> =>
      await new SignJWT({ ...usual(), ...claims })
        .setProtectedHeader({ alg, kid: 'first', typ: 'at+jwt', ...header })
        .sign(key),
    close: async (): Promise<void> => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
