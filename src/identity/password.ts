/**
 * Passwords, kept as the text of scrypt (RFC 7914) with its parameters, so that they can be raised for new ones
 * (docs/decisions/0009). Computed at once and not beside other work: one at a time has room in the memory of an isolate.
 */
import { randomBytes, scryptSync, timingSafeEqual } from 'node:crypto'

export const PASSWORD = { minChars: 8, maxChars: 128 } as const

type Cost = { readonly log2N: number; readonly r: number; readonly p: number }

/** 32 MiB; about 90 ms on one core of a small server. */
const COST: Cost = { log2N: 15, r: 8, p: 1 }
const SALT_BYTES = 16
const HASH_BYTES = 32
/** What one computation may take: four times what `COST` takes, so that a stored text cannot ask for everything. */
const MAX_BYTES = 134_217_728

/** `$scrypt$ln=15,r=8,p=1$<salt>$<hash>`, both in base64 without padding. */
const STORED = /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9+/]{2,86})\$([A-Za-z0-9+/]{43})$/

export function hashPassword(password: string): string {
  const salt = randomBytes(SALT_BYTES)
  const { log2N, r, p } = COST
  return `$scrypt$ln=${log2N},r=${r},p=${p}$${encode(salt)}$${encode(derive(password, salt, COST))}`
}

/** `stored`: absent where there is no such user, which takes as long to find out as a wrong password does. */
export function isPassword(password: string, stored: string | undefined): boolean {
  const [, log2N, r, p, salt = '', hash = ''] = STORED.exec(stored ?? NOBODY) ?? []
  const cost = { log2N: Number(log2N), r: Number(r), p: Number(p) }
  const given = derive(password, Buffer.from(salt, 'base64'), cost)
  return timingSafeEqual(given, Buffer.from(hash, 'base64')) && stored !== undefined
}

const NOBODY = `$scrypt$ln=${COST.log2N},r=${COST.r},p=${COST.p}$${'A'.repeat(22)}$${'A'.repeat(43)}`

/** The same characters in another encoding are the same password. */
const derive = (password: string, salt: Uint8Array, { log2N, r, p }: Cost): Buffer =>
  scryptSync(password.normalize('NFKC'), salt, HASH_BYTES, { N: 2 ** log2N, r, p, maxmem: MAX_BYTES })

const encode = (bytes: Buffer): string => bytes.toString('base64').replaceAll('=', '')
