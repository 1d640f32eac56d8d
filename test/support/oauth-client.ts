/** The official clients of both eras, with what they keep of an authorization, and a user to ask. */
import {
  Client as ModernClient,
  StreamableHTTPClientTransport as ModernTransport,
  UnauthorizedError as ModernUnauthorized,
} from '@modelcontextprotocol/client'
import { UnauthorizedError as LegacyUnauthorized } from '@modelcontextprotocol/sdk/client/auth.js'
import { Client as LegacyClient } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport as LegacyTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js'
import { MODERN_VERSION } from '../../src/protocol/version.ts'
import { browse, REDIRECT_URL } from './authorization.ts'

export type Notes = {
  /** The authorization requests so far, as the user saw them. */
  readonly asked: URLSearchParams[]
  /** What the client was handed last. */
  back: URLSearchParams
  tokens?: any
}

export type OAuthClient = {
  readonly notes: Notes
  tools(): Promise<any[]>
  call(name: string, given: object): Promise<any>
  close(): Promise<void>
}

/** Keeps everything in memory; fits the clients of both eras. */
function openProvider() {
  const notes: Notes = { asked: [], back: new URLSearchParams() }
  let registered: any
  let verifier = ''
  let discovered: any
  const provider: any = {
    redirectUrl: REDIRECT_URL,
    clientMetadata: {
      client_name: 'A client of the tests',
      redirect_uris: [REDIRECT_URL],
      grant_types: ['authorization_code'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
      application_type: 'native',
    },
    clientInformation: () => registered,
    saveClientInformation: (given: any) => void (registered = given),
    tokens: () => notes.tokens,
    saveTokens: (given: any) => void (notes.tokens = given),
    saveCodeVerifier: (given: string) => void (verifier = given),
    codeVerifier: () => verifier,
    saveDiscoveryState: (given: any) => void (discovered = given),
    discoveryState: () => discovered,
    redirectToAuthorization: async (url: URL) => {
      notes.asked.push(url.searchParams)
      notes.back = await browse(url)
    },
  }
  return { notes, provider }
}

const WHO = { name: 'test', version: '1' }

/** Goes on after the user was asked: once, since being asked twice for one thing is a fault. */
async function withUser<T>(act: () => Promise<T>, goOn: () => Promise<void>): Promise<T> {
  try {
    return await act()
  } catch (error) {
    if (!(error instanceof LegacyUnauthorized || error instanceof ModernUnauthorized)) throw error
    await goOn()
    return await act()
  }
}

export async function authorizeLegacy(url: string): Promise<OAuthClient> {
  const { notes, provider } = openProvider()
  const open = (): LegacyTransport => new LegacyTransport(new URL(url), { authProvider: provider })
  const goOn = (): Promise<void> => transport.finishAuth(notes.back.get('code') ?? '')
  let transport = open()
  let client = new LegacyClient(WHO)
  const connect = async (): Promise<void> => {
    await client.connect(transport as Transport)
  }
  await withUser(connect, async () => {
    await goOn()
    transport = open()
    client = new LegacyClient(WHO)
  })
  return {
    notes,
    tools: async () => (await client.listTools()).tools,
    call: (name, given) => withUser(() => client.callTool({ name, arguments: { ...given } }), goOn),
    close: () => client.close(),
  }
}

export async function authorizeModern(url: string): Promise<OAuthClient> {
  const { notes, provider } = openProvider()
  const open = (): ModernTransport => new ModernTransport(new URL(url), { authProvider: provider })
  const begin = (): ModernClient =>
    new ModernClient(WHO, { versionNegotiation: { mode: { pin: MODERN_VERSION } } })
  const goOn = (): Promise<void> => transport.finishAuth(notes.back)
  let transport = open()
  let client = begin()
  await withUser(
    () => client.connect(transport),
    async () => {
      await goOn()
      transport = open()
      client = begin()
    },
  )
  return {
    notes,
    tools: async () => (await client.listTools()).tools,
    call: (name, given) => withUser(() => client.callTool({ name, arguments: { ...given } }), goOn),
    close: () => client.close(),
  }
}
