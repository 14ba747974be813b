import type * as z from 'zod'

const EXPECTED: Record<string, string> = {
  string: 'a text',
  object: 'an object',
  array: 'a list',
}

/** Returns what is wrong with a value, where its schema has no words of its own; undefined leaves it to the validator. */
export function wordsFor(issue: z.core.$ZodRawIssue): string | undefined {
  if (issue.code === 'invalid_value') return `expected one of: ${issue.values.map(String).join(', ')}`
  if (issue.code !== 'invalid_type') return undefined
  const found = kindOf(issue.input)
  const quotes = issue.expected === 'string' && ['a number', 'a boolean'].includes(found)
  return `expected ${EXPECTED[issue.expected] ?? issue.expected}, not ${found}${quotes ? ': put it in quotes' : ''}`
}

/** Returns what kind of value it is, for the person who wrote it. */
export function kindOf(value: unknown): string {
  if (value === null || value === undefined) return 'nothing'
  if (Array.isArray(value)) return 'a list'
  return typeof value === 'object' ? 'an object' : typeof value === 'string' ? 'a text' : `a ${typeof value}`
}
