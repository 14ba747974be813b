import * as z from 'zod'
import { UserError } from '../errors.ts'

/** Returns the reader of the option of the same meaning, as a step of a schema. */
export function readBy<T>(read: (text: string) => T) {
  return (value: string | number, context: z.RefinementCtx<string | number>): T => {
    try {
      return read(String(value))
    } catch (error) {
      if (!(error instanceof UserError)) throw error
      context.addIssue({ code: 'custom', message: error.message })
      return z.NEVER
    }
  }
}
