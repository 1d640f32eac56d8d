/** The verified caller. Made only by this folder; everything behind it trusts it. */
export type Principal = {
  readonly organisationId: string
  /** Stable and not secret: who this is in audit rows and session keys. */
  readonly subject: string
  readonly role: 'admin' | 'user'
  /** May register and list services. */
  readonly mayManage: boolean
}

export const DEFAULT_ORGANISATION = 'default'
