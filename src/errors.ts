/**
 * What went wrong, in the terms the administrator can act on:
 * `failed` clashes with what the database or the machine holds, `invalid` can never be valid as given,
 * `refused` was stopped for safety. The command line turns the kind into an exit code.
 */
export type ErrorKind = 'failed' | 'invalid' | 'refused'

/** An expected failure: one line that says what happened, and a hint that says what to do. Shown without a stack. */
export class UserError extends Error {
  override readonly name = 'UserError'
  readonly kind: ErrorKind
  readonly hint: string | undefined

  constructor(
    message: string,
    options: { kind?: ErrorKind; hint?: string | undefined; cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause })
    this.kind = options.kind ?? 'failed'
    this.hint = options.hint
  }
}

/** Returns the error of something that can never be valid as given. */
export function invalid(message: string, hint?: string): UserError {
  return new UserError(message, { kind: 'invalid', hint })
}
