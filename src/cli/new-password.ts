import { newPasswordProblems, type PasswordAttributes } from '../django/password-rules.ts'
import { invalid } from '../errors.ts'
import { utf8In } from '../utf8.ts'
import { type CommandContext, canAsk } from './command-context.ts'
import { lookOf } from './paint.ts'
import { plainText } from './render/plain-text.ts'

export interface PasswordOptions {
  readonly passwordStdin?: boolean
  /** False: none is wanted. */
  readonly password: boolean
}

/** Throws a UserError (invalid) when no password is given and nobody can be asked for one. */
export function refuseWithoutPassword(context: CommandContext, options: PasswordOptions): void {
  if (options.passwordStdin || !options.password || canAsk(context)) return
  throw invalid('no password is given, and nobody can be asked', 'use --password-stdin, or --no-password')
}

/** Returns the password that the options or the person at the terminal give; undefined when none is wanted. */
export async function newPassword(
  context: CommandContext,
  options: PasswordOptions,
  attributes: PasswordAttributes,
): Promise<string | undefined> {
  if (!options.password) return undefined
  return options.passwordStdin ? firstLine(context.stdin.stream) : typedTwice(context, attributes)
}

/** Asks until it is typed twice alike and keeps the rules; Ctrl-C ends it. */
async function typedTwice(context: CommandContext, attributes: PasswordAttributes): Promise<string> {
  const { prompts, stderr } = context
  const look = lookOf(stderr, context)
  for (;;) {
    const password = await prompts.hidden('Password:', look)
    const problems = await newPasswordProblems(password, attributes)
    if (problems.length === 0 && (await prompts.hidden('Password (again):', look)) === password)
      return password
    await stderr.write(plainText(problems.join(' ') || 'The two are not the same.').concat('\n'))
  }
}

/** Returns the first line without its end. Nothing else is trimmed: whoever means a space there is told that it cannot be. */
async function firstLine(stream: NodeJS.ReadableStream): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) {
    chunks.push(Buffer.from(chunk))
    if (chunks.at(-1)?.includes('\n')) break
  }
  const text = utf8In(Buffer.concat(chunks))
  if (text === undefined) throw invalid('--password-stdin: standard input is not UTF-8 text')
  const [line = ''] = text.split(/\r?\n/, 1)
  if (line === '')
    throw invalid('--password-stdin: standard input has no password', 'its first line is the password')
  return line
}
