/** Whose tokens the gateway takes, and whom they must be for: settings that belong together. */

export type Oidc = {
  /** As its tokens write it, to the letter. */
  readonly issuer: string
  /** What tokens must be for; absent: the gateway's own URLs. */
  readonly audiences: readonly string[] | undefined
}

/**
 * Whom a token is for must not depend on what its bearer sends, or a token for another resource would only need that
 * resource's name in `Host` (S16). So an issuer needs one of the two settings that say it. `url`: the issuer, where it
 * is a URL that may be one.
 */
export function readOidc(
  text: (name: string) => string,
  url: URL | undefined,
  publicUrl: URL | undefined,
  faults: string[],
): Oidc | undefined {
  const issuer = text('OIDC_ISSUER')
  if (!url) return undefined
  if (/[?#]/.test(issuer)) faults.push('Setting OIDC_ISSUER must have no query and no fragment.')
  const audiences = text('OIDC_AUDIENCE')
    .split(/[\s,]+/)
    .filter((audience) => audience !== '')
  if (audiences.length === 0 && !publicUrl) {
    faults.push('Setting OIDC_ISSUER needs PUBLIC_URL or OIDC_AUDIENCE: tokens must be for this gateway.')
  }
  return { issuer, audiences: audiences.length > 0 ? audiences : undefined }
}
