/** What a look at a gateway finds, and what to do about it. */

export type Finding = {
  readonly check: string
  /** `note`: worth knowing, nothing to mend. */
  readonly verdict: 'ok' | 'note' | 'warning' | 'wrong'
  readonly detail: string
  readonly advice?: string
}

export const well = (check: string, detail: string): Finding => ({ check, verdict: 'ok', detail })
export const note = (check: string, detail: string): Finding => ({ check, verdict: 'note', detail })
export const warning = (check: string, detail: string, advice: string): Finding => ({
  check,
  verdict: 'warning',
  detail,
  advice,
})
export const wrong = (check: string, detail: string, advice: string): Finding => ({
  check,
  verdict: 'wrong',
  detail,
  advice,
})
