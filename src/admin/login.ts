/**
 * A token for a user's password. Open to anyone, so it tells nothing of who there is: a wrong name, a wrong password
 * and a wrong organisation get the same answer, after the same work.
 */
import type { Guesses } from '../identity/guess.ts'
import { issueToken } from '../identity/login.ts'
import { isPassword } from '../identity/password.ts'
import type { Background } from '../platform/background.ts'
import type { Clock } from '../platform/clock.ts'
import { err, type Result } from '../platform/result.ts'
import type { Secret } from '../platform/secret.ts'
import type { LoginStore } from '../storage/login.ts'
import type { Accounts } from './accounts.ts'
import { type Answered, whole } from './answer.ts'
import * as api from './api/auth.ts'
import { readBody } from './body.ts'
import { type Problem, storageAway } from './problem.ts'

export type LoginPorts = {
  readonly accounts: Accounts
  readonly logins: LoginStore
  readonly guesses: Guesses
  readonly jwtSecret: Secret
  readonly clock: Clock
}

export async function logIn(request: Request, ports: LoginPorts, background: Background): Promise<Answered> {
  const body = await readBody(request, api.logIn.body)
  if (!body.ok) return body
  const { username, password, organisation } = body.value
  // Spelled otherwise it is still the same door (S54).
  const name = `${organisation}|${username}`.toLowerCase()
  const waitMs = ports.guesses.take(name)
  if (waitMs > 0) return err(tooManyGuesses(waitMs))
  const found = await ports.logins.find(organisation, username)
  if (!found.ok) return err(storageAway)
  const isRight = isPassword(password, found.value?.passwordHash)
  if (!isRight || !found.value) return err(wrongLogin)
  ports.guesses.forgive(name)
  const isServed = await checkServed(organisation, ports, background)
  if (!isServed.ok) return isServed
  const { token, expiresAt } = await issueToken(found.value, ports.jwtSecret, ports.clock())
  return whole({ token, expiresAt: new Date(expiresAt).toISOString() })
}

/** Afterwards this isolate knows the user as well, so that the token opens here at once. */
async function checkServed(
  organisationId: string,
  { accounts }: LoginPorts,
  background: Background,
): Promise<Result<true, Problem>> {
  const directory = await accounts.read(background)
  if (!directory.ok) return directory
  const organisation = directory.value.organisation(organisationId)
  return organisation?.isSuspended === false ? { ok: true, value: true } : err(suspended)
}

const wrongLogin: Problem = {
  status: 401,
  code: 'invalid_login',
  title: 'Not logged in',
  detail: 'The organisation, the user name or the password is wrong.',
}

const suspended: Problem = {
  status: 403,
  code: 'access_denied',
  title: 'Access denied',
  detail: 'This organisation is suspended.',
}

const tooManyGuesses = (retryAfterMs: number): Problem => ({
  status: 429,
  code: 'too_many_logins',
  title: 'Too many logins',
  detail: `There were too many logins. Try again in ${Math.ceil(retryAfterMs / 1_000)} s.`,
  retryAfterMs,
})
