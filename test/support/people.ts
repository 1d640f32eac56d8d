/** Organisations, users and keys as tests need them: made through the management API, or the test fails. */
import type { Answer, Gateway } from './gateway.ts'

export type Made = { readonly id: string; readonly key: string; readonly prefix: string }

/** `X-API-Key` with any credential. */
export const by = (credential: string): Record<string, string> => ({ 'x-api-key': credential })
export const bearer = (credential: string): Record<string, string> => ({
  authorization: `Bearer ${credential}`,
})

export async function makeKey(gateway: Gateway, body: object = {}, credential?: string): Promise<Made> {
  const headers = credential === undefined ? {} : by(credential)
  return created(await gateway.manage('POST', '/api/v1/keys', { name: 'a key', ...body }, headers))
}

/** Gives its id. */
export async function makeUser(
  gateway: Gateway,
  username: string,
  body: object = {},
  credential?: string,
): Promise<string> {
  const headers = credential === undefined ? {} : by(credential)
  const user = { username, password: passwordOf(username), ...body }
  return created(await gateway.manage('POST', '/api/v1/users', user, headers)).id
}

export const passwordOf = (username: string): string => `password of ${username}`

export const logIn = (gateway: Gateway, body: object): Promise<Answer> =>
  gateway.fetch('/api/v1/auth/login', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })

/** A token for this user. */
export async function tokenOf(gateway: Gateway, username: string, rest: object = {}): Promise<string> {
  const { status, body, text } = await logIn(gateway, { username, password: passwordOf(username), ...rest })
  if (status !== 200) throw new Error(`'${username}' was not logged in: ${text}`)
  return body.token
}

/** Gives the key of its first admin. */
export async function makeOrganisation(gateway: Gateway, id: string): Promise<string> {
  const answer = await gateway.manage('POST', '/api/v1/organisations', { id, name: id.toUpperCase() })
  return created(answer).adminKey.key
}

function created({ status, body, text }: Answer) {
  if (status !== 201) throw new Error(`nothing was made: ${text}`)
  return body
}
