/** The settings of the gateway, as this environment sets them: names from docs/operations.md, nothing else. */
const SETTINGS = [
  'API_KEY',
  'MCP_BEARER_TOKEN',
  'ENCRYPTION_KEY',
  'ENCRYPTION_KEY_PREVIOUS',
  'JWT_SECRET',
  'MCP_AUTH',
  'MCP_TOKEN_MANAGES',
  'CACHE_TTL_SECONDS',
  'ALLOWED_ORIGINS',
  'ALLOWED_HOSTS',
  'PUBLIC_URL',
  'MCP_GATEWAY_URL',
  'DOH_URL',
  'ALLOW_PRIVATE_UPSTREAMS',
  'OIDC_ISSUER',
  'OIDC_AUDIENCE',
  'LOG_LEVEL',
  'DEFAULT_TIMEOUT_MS',
  'MAX_LISTENS_PER_PRINCIPAL',
  'HEALTH_INTERVAL_MS',
  'REFRESH_INTERVAL_MS',
  'USAGE_CAPTURE',
  'USAGE_RETENTION_DAYS',
  'AUDIT',
  'AUDIT_RETENTION_DAYS',
  'MCP_SERVICES',
]

export type Bindings = Readonly<Record<string, string>>

export function bindingsOf(env: Readonly<Record<string, string | undefined>>): Bindings {
  const isSetting = (name: string): boolean => SETTINGS.includes(name) || name.startsWith('MCP_SERVICE_')
  const given = Object.entries(env).filter(
    (entry): entry is [string, string] => isSetting(entry[0]) && !!entry[1],
  )
  return Object.fromEntries(given)
}

/** What `npm start` uses where the environment sets nothing. A deployed gateway refuses these credentials. */
export const DEVELOPMENT: Bindings = {
  API_KEY: 'mcp-api-key-123',
  MCP_BEARER_TOKEN: 'mcp-token-123',
  MCP_TOKEN_MANAGES: 'true',
  ALLOW_PRIVATE_UPSTREAMS: 'true',
  DEVELOPMENT: 'true',
}
