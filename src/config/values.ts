import * as z from 'zod'

/** The kinds of values that a configuration file holds, each with what is said when it is another one. */

// No database has a word with a NUL in it, and PostgreSQL would complain of the whole question.
export const text = z
  .string()
  .trim()
  .min(1, 'is empty')
  .refine((value) => !value.includes('\u0000'), 'holds a NUL character')
export const texts = z.array(text, 'expected a list')
export const number = z.union([z.string(), z.number()], 'expected a number')
export const age = z.union([z.string(), z.number()], 'expected an age such as 7d, or 0')
export const ageAboveZero = z.union([z.string(), z.number()], 'expected an age such as 30d')
export const limit = z.union([z.string(), z.number()], 'expected a number, or a percentage such as "50%"')
