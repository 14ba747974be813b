import { UserError } from '../errors.ts'
import { type Context, canAsk, type GlobalOptions } from './context.ts'
import { lookOf } from './paint.ts'
import { counted } from './render/numbers.ts'

/** What a number of users is confirmed for. */
export interface Deed {
  /** `deletes`. */
  readonly does: string
  /** `deleted`. */
  readonly done: string
}

const DELETION: Deed = { does: 'deletes', done: 'deleted' }

/**
 * Lets a person type the number of users: unlike a `y`, it cannot be a habit.
 * Throws a UserError (refused) when it is another number, or nobody can be asked.
 */
export async function confirmNumber(
  context: Context,
  globals: GlobalOptions,
  users: number,
  { does, done }: Deed = DELETION,
): Promise<void> {
  if (!canAsk(context, globals)) {
    throw new UserError(`not confirmed, and nobody to ask: nothing has been ${done}`, {
      kind: 'refused',
      hint: 'read the plan (--dry-run), then run it with --yes',
    })
  }
  const typed = await context.prompts.text(
    `This ${does} ${counted(users, 'user')}. Type the number to go on:`,
    lookOf(context.stderr, context, globals),
  )
  if (typed.replace(/[\s,]/g, '') === String(users)) return
  throw new UserError(`not confirmed: nothing has been ${done}`, { kind: 'refused' })
}
