import { pause } from '../pause.ts'
import { type DatabaseFault, databaseFault } from './errors.ts'

const ATTEMPTS = 5
const FIRST_PAUSE_MILLISECONDS = 100
/** The same work may succeed a little later. */
const PASSING: readonly DatabaseFault[] = ['retry', 'busy', 'locked']
/** Those of them that a smaller piece of the work would meet just the same; a lock or a timeout it may escape. */
export const PASSING_AT_ANY_SIZE: readonly DatabaseFault[] = ['retry', 'locked']

/** Returns what the work returns; begins it anew when another transaction was in its way, and waits in between. */
export async function retrying<T>(work: () => Promise<T>, passing = PASSING): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work()
    } catch (error) {
      if (!passing.includes(databaseFault(error)) || attempt === ATTEMPTS) throw error
      await pause(FIRST_PAUSE_MILLISECONDS * 2 ** (attempt - 1) * (0.5 + Math.random()))
    }
  }
}
