/**
 * What to write where, so that a client of MCP uses the gateway. The credential is a reference to the environment
 * where the client knows such references; it is never written out. Pure.
 */

export type ClientConfig = {
  /** Where it belongs, a line each. */
  readonly where: readonly string[]
  readonly text: string
  readonly note?: string
}

type Endpoint = { readonly name: string; readonly url: string; readonly variable: string }

const CLIENTS: Readonly<Record<string, (endpoint: Endpoint) => ClientConfig>> = {
  claude: (endpoint) => ({
    where: [
      'macOS: ~/Library/Application Support/Claude/claude_desktop_config.json',
      'Windows: %APPDATA%\\Claude\\claude_desktop_config.json',
    ],
    // The header holds no blank: some versions of the client split arguments at blanks.
    text: json({
      mcpServers: {
        [endpoint.name]: {
          command: 'npx',
          args: [
            '-y',
            'mcp-remote',
            endpoint.url,
            '--header',
            'Authorization:${AUTH_HEADER}',
            ...(endpoint.url.startsWith('http:') ? ['--allow-http'] : []),
          ],
          env: { AUTH_HEADER: 'Bearer <the credential>' },
        },
      },
    }),
    note: 'Claude Desktop starts processes only; a public https address can also be added as a connector in its settings.',
  }),
  'claude-code': ({ name, url, variable }) => ({
    where: ['.mcp.json of the project, or run:', `  ${claudeCommand(name, url, variable)}`],
    text: json({ mcpServers: { [name]: { type: 'http', url, headers: bearer(`\${${variable}}`) } } }),
  }),
  cursor: ({ name, url, variable }) => ({
    where: ['~/.cursor/mcp.json, or .cursor/mcp.json of the project'],
    text: json({ mcpServers: { [name]: { url, headers: bearer(`\${env:${variable}}`) } } }),
  }),
  vscode: ({ name, url }) => ({
    where: ['.vscode/mcp.json of the workspace, or the user profile (MCP: Open User Configuration)'],
    text: json({
      inputs: [
        { type: 'promptString', id: `${name}-token`, description: `Token for ${name}`, password: true },
      ],
      servers: { [name]: { type: 'http', url, headers: bearer(`\${input:${name}-token}`) } },
    }),
  }),
  windsurf: ({ name, url, variable }) => ({
    where: ['~/.codeium/windsurf/mcp_config.json'],
    text: json({ mcpServers: { [name]: { serverUrl: url, headers: bearer(`\${env:${variable}}`) } } }),
  }),
  gemini: ({ name, url, variable }) => ({
    where: ['~/.gemini/settings.json, or .gemini/settings.json of the project'],
    text: json({ mcpServers: { [name]: { httpUrl: url, headers: bearer(`$${variable}`) } } }),
  }),
  codex: ({ name, url, variable }) => ({
    where: ['~/.codex/config.toml'],
    text: `[mcp_servers.${name}]\nurl = ${JSON.stringify(url)}\nbearer_token_env_var = "${variable}"`,
  }),
  inspector: ({ url, variable }) => ({
    where: ['run it (without --cli and --method it opens a browser):'],
    text: `npx @modelcontextprotocol/inspector --cli ${url} --transport http --header "Authorization: Bearer $${variable}" --method tools/list`,
  }),
  curl: ({ url, variable }) => ({
    where: ['run it:'],
    text: `curl -s ${url} -H "Authorization: Bearer $${variable}" -H 'Content-Type: application/json' -d '{"jsonrpc":"2.0","id":1,"method":"tools/list"}'`,
  }),
}

export const CLIENT_NAMES: readonly string[] = Object.keys(CLIENTS)

/** `undefined`: the client is not known here. */
export const configFor = (client: string, endpoint: Endpoint): ClientConfig | undefined =>
  Object.hasOwn(CLIENTS, client) ? CLIENTS[client]?.(endpoint) : undefined

const claudeCommand = (name: string, url: string, variable: string): string =>
  `claude mcp add --transport http ${name} ${url} --header "Authorization: Bearer $${variable}"`

const bearer = (credential: string): object => ({ Authorization: `Bearer ${credential}` })

const json = (value: unknown): string => JSON.stringify(value, undefined, 2)
