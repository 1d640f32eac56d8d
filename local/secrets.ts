/** What a deployment must have before it goes out. Pure. */
import { stripVTControlCharacters } from 'node:util'

export const DEPLOYED_SECRETS = [
  'DATABASE_URL',
  'UPSTASH_REDIS_REST_URL',
  'UPSTASH_REDIS_REST_TOKEN',
  'API_KEY',
  'MCP_BEARER_TOKEN',
  'ENCRYPTION_KEY',
  'JWT_SECRET',
] as const

/** One line for each secret that the deployment lacks, with the command that sets it. */
export const missingSecrets = (present: readonly string[]): string[] =>
  DEPLOYED_SECRETS.filter((name) => !present.includes(name)).map(
    (name) => `Secret ${name} is not set: run \`npx wrangler secret put ${name}\`.`,
  )

/** The names in the answer of `wrangler secret list`: a JSON array of `{ name }`. Throws on anything else. */
export function readSecretNames(text: string): string[] {
  const list: unknown = JSON.parse(text)
  if (!Array.isArray(list)) throw new Error('`wrangler secret list` gave no list')
  return list.map((entry: unknown) =>
    typeof entry === 'object' && entry && 'name' in entry ? String(entry.name) : '',
  )
}

/** Whether wrangler says, by Cloudflare's code, that there is no such Worker: nothing was ever deployed. */
export const isFirstDeployment = (said: string): boolean => said.includes('[code: 10007]')

/** Wrangler's complaint in one line, without its colours. */
export function readComplaint(said: string): string {
  const text = stripVTControlCharacters(said).trim()
  const complaint = /\[ERROR\]\s*(.+)/.exec(text)?.[1] ?? text.split('\n')[0]
  return complaint === undefined || complaint === '' ? 'wrangler failed' : complaint.trim()
}
