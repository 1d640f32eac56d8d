/** What a schema finds wrong, a line for each field. Values are not repeated: one may be a secret. */
import type * as z from 'zod'

export const describeIssues = (issues: readonly z.core.$ZodIssue[], within = ''): string[] =>
  issues.flatMap((issue) => {
    const path = [within, ...issue.path.map(String)].filter((part) => part !== '')
    if (issue.code === 'unrecognized_keys')
      return issue.keys.map((key) => `${[...path, key].join('.')}: is not a known field`)
    return [`${path.join('.') || 'It'}: ${issue.message}`]
  })
