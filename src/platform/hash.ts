/** The SHA-256 of a text, or of its bytes, in hexadecimal. */
export async function sha256(given: string | Uint8Array): Promise<string> {
  const bytes = typeof given === 'string' ? new TextEncoder().encode(given) : given
  const digest = await crypto.subtle.digest('SHA-256', bytes)
  let text = ''
  for (const byte of new Uint8Array(digest)) text += HEXADECIMAL[byte]
  return text
}

/** By the byte; each call of a tool asks for 32 of them. */
const HEXADECIMAL = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))
