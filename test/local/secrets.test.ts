/** What `npm run deploy` decides before it touches anything. */
import { describe, expect, it } from 'vitest'
import { DEPLOYED_SECRETS, isFirstDeployment, missingSecrets, readComplaint } from '../../local/secrets.ts'

describe('missingSecrets', () => {
  it('wants nothing more when all are set', () => expect(missingSecrets(DEPLOYED_SECRETS)).toEqual([]))

  it('names each missing one with the command that sets it', () =>
    expect(missingSecrets(DEPLOYED_SECRETS.filter((name) => !name.endsWith('KEY')))).toEqual([
      'Secret API_KEY is not set: run `npx wrangler secret put API_KEY`.',
      'Secret ENCRYPTION_KEY is not set: run `npx wrangler secret put ENCRYPTION_KEY`.',
    ]))
})

describe('what wrangler says instead of a list', () => {
  it('may mean that nothing was ever deployed', () => {
    expect(isFirstDeployment('[ERROR] This Worker does not exist on your account. [code: 10007]')).toBe(true)
    expect(isFirstDeployment('[ERROR] Authentication error [code: 10000]')).toBe(false)
  })

  it('is told in one line, without its colours', () => {
    const said = '\u001B[31m✘ \u001B[41;31m[\u001B[41;97mERROR\u001B[41;31m]\u001B[0m Not logged in.\n\nmore'
    expect(readComplaint(said)).toBe('Not logged in.')
    expect(readComplaint('')).toBe('wrangler failed')
  })
})
