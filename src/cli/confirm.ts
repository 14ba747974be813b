import { UserError } from '../errors.ts'
import { counted } from '../values/numbers.ts'
import { type CommandContext, canAsk } from './command-context.ts'
import { lookOf } from './paint.ts'
import { plainText } from './render/plain-text.ts'

/** What a number of users is confirmed for. */
export interface Deed {
  /** `deletes`. */
  readonly does: string
  /** `deleted`. */
  readonly done: string
  /** The database, as `Db.identity`. */
  readonly where: string
  /** It cannot be undone. */
  readonly forGood?: boolean
  /** The plan, laid out: whoever is asked about it reads it, also with --quiet. */
  readonly plan: string
}

/**
 * Lets a person type the number of users: unlike a `y`, it cannot be a habit.
 * Throws a UserError (refused) when it is another number, or nobody can be asked.
 */
export function confirmNumber(
  context: CommandContext,
  users: number,
  { does, done, where, forGood, plan }: Deed,
): Promise<void> {
  return confirm(context, {
    text: `This ${does} ${counted(users, 'user')} of ${plainText(where)}${forGood ? ', for good' : ''}. Type the number to go on:`,
    isYes: (typed) => typed.replace(/[\s,]/g, '') === String(users),
    done,
    about: plan,
  })
}

/** Lets a person type yes to what puts things back. Throws a UserError (refused) when they do not, or nobody can be asked. */
export function confirmRestoration(
  context: CommandContext,
  { what, where }: { readonly what: string; readonly where: string },
): Promise<void> {
  return confirm(context, {
    text: `This puts ${what} back into ${plainText(where)}. Type yes to go on:`,
    isYes: (typed) => typed.trim().toLowerCase() === 'yes',
    done: 'put back',
  })
}

interface Question {
  readonly text: string
  isYes(typed: string): boolean
  /** What has not happened to anything, without a yes. */
  readonly done: string
  /** What has been shown already, unless --quiet has silenced it. */
  readonly about?: string
}

async function confirm(context: CommandContext, { text, isYes, done, about }: Question): Promise<void> {
  if (!canAsk(context)) {
    throw new UserError(`not confirmed, and nobody to ask: nothing has been ${done}`, {
      kind: 'refused',
      hint: 'see what it would do (--dry-run), then run it with --yes',
    })
  }
  if (context.globals.quiet && about !== undefined) await context.stderr.write(about)
  const typed = await context.prompts.text(text, lookOf(context.stderr, context))
  if (!isYes(typed)) throw new UserError(`not confirmed: nothing has been ${done}`, { kind: 'refused' })
}
