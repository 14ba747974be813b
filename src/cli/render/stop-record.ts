import type { Stop } from '../../stop.ts'
import { expectedError } from '../expected-error.ts'

/** Returns why a run has stopped as JSON has it: null when it got to its end. Standard error says it in more words. */
export function stopRecord(stopped: Stop | undefined) {
  if (stopped === undefined) return null
  if (stopped === 'interrupted') return { reason: 'interrupted' }
  return { reason: 'error', message: expectedError(stopped.error)?.message ?? 'a bug' }
}
