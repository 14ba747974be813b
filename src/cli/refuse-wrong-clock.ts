import { UserError } from '../errors.ts'
import type { Site } from '../site/site.ts'
import { counted } from '../values/numbers.ts'
import type { Context } from './context.ts'

const TOLERATED_SECONDS = 24 * 60 * 60

/**
 * Throws a UserError (refused) when the clock of this machine is more than a day ahead of the database server's: every
 * age counts back from it, and everybody would look old. Where the database has no clock of its own nobody can tell.
 */
export async function refuseWrongClock({ db }: Site, { now }: Context): Promise<void> {
  const seconds = await db.dialect.secondsAhead(db, now())
  if (seconds <= TOLERATED_SECONDS) return
  const days = Math.round(seconds / TOLERATED_SECONDS)
  throw new UserError(
    `refused: the clock of this machine is ${counted(days, 'day')} ahead of the database server's`,
    {
      kind: 'refused',
      hint: 'set the one that is wrong: by it everybody looks as if they had not logged in for so long',
    },
  )
}
