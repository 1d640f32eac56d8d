/** The SHA-256 of a text, or of its bytes, in hexadecimal. */
export async function sha256(given: string | Uint8Array): Promise<string> {
  const bytes = typeof given === 'string' ? new TextEncoder().encode(given) : given
  const digest = await crypto.subtle.digest('SHA-256', bytes)
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('')
}
