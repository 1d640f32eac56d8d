/** API keys as they stand in the database, for gateways that start afterwards. */
import { hashApiKey, makeApiKey } from '../../src/identity/key.ts'
import type { Stack } from './stack.ts'

/** A new key, and the headers by which its caller is known. */
export async function addKey(
  stack: Stack,
  agentType: string | undefined,
  role: 'admin' | 'user' = 'user',
  scopes?: readonly string[],
): Promise<{ readonly authorization: string }> {
  const { key, prefix } = makeApiKey()
  const hash = await hashApiKey(key)
  const limits = scopes ? `'{${scopes.join(',')}}'` : 'null'
  const type = agentType === undefined ? 'null' : `'${agentType}'`
  await stack.query(
    `insert into api_keys (id, organisation_id, name, prefix, key_hash, role, agent_type, scopes)
     values ('${crypto.randomUUID()}', 'default', 'test', '${prefix}', '${hash}', '${role}', ${type}, ${limits})`,
  )
  await stack.query(
    `insert into directory_version (id, version) values ('directory', 1)
     on conflict (id) do update set version = directory_version.version + 1`,
  )
  return { authorization: `Bearer ${key}` }
}
