/** What an issuer publishes about itself: where its documents stand, and how one is fetched. */
import { isObject } from '../protocol/message.ts'

/** Whether an address may be called; asked for every address, those that an issuer names included. */
export type MayCall = (url: string) => Promise<boolean>

const MAX_BYTES = 262_144

/**
 * Where the metadata of an issuer may stand, in the order in which it is looked for (RFC 8414, sections 3.1 and 5;
 * 2026-07-28, "Authorization Server Metadata Discovery").
 */
export function metadataUrls(issuer: string): readonly string[] {
  const { origin, pathname } = new URL(issuer)
  const path = pathname.replace(/\/$/, '')
  const names = ['oauth-authorization-server', 'openid-configuration']
  const inserted = names.map((name) => `${origin}/.well-known/${name}${path}`)
  return path === '' ? inserted : [...inserted, `${origin}${path}/.well-known/openid-configuration`]
}

/** A JSON object; `undefined` for everything else. Redirects are not followed, since they could lead anywhere (S06). */
export async function fetchDocument(
  url: string,
  mayCall: MayCall,
  signal: AbortSignal,
): Promise<Readonly<Record<string, unknown>> | undefined> {
  if (!(await mayCall(url))) return undefined
  try {
    const headers = { accept: 'application/json' }
    const response = await fetch(url, { headers, redirect: 'manual', signal })
    const text = response.status === 200 ? await readBounded(response) : undefined
    if (text === undefined) await response.body?.cancel()
    return text === undefined ? undefined : readObject(text)
  } catch {
    return undefined
  }
}

async function readBounded(response: Response): Promise<string | undefined> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of response.body ?? []) {
    size += chunk.length
    if (size > MAX_BYTES) return undefined
    chunks.push(chunk)
  }
  return await new Blob(chunks).text()
}

function readObject(text: string): Readonly<Record<string, unknown>> | undefined {
  const value: unknown = JSON.parse(text)
  return isObject(value) ? value : undefined
}
