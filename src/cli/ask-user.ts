import { normalizeEmail } from '../django/email.ts'
import { normalizeUsername } from '../django/username.ts'
import { UserError } from '../errors.ts'
import type { Site } from '../site/site.ts'
import { refuseEmail, refuseUsername } from '../users/new-user.ts'
import { refuseTaken } from '../users/refuse-taken.ts'
import type { CommandContext } from './command-context.ts'
import { lookOf } from './paint.ts'
import { plainText } from './render/plain-text.ts'

/** Returns the username that a person chooses; undefined when the user model has none, or the address is to make it. */
export async function askUsername(site: Site, context: CommandContext): Promise<string | undefined> {
  if (!site.tables.users.username) return undefined
  return answerTo('Username (empty: made from the address):', context, async (answer) => {
    const username = normalizeUsername(answer.trim())
    if (username === '') return undefined
    refuseUsername(site.shape, username)
    await refuseTaken(site, { username })
    return username
  })
}

/** Returns the address that a person types, asked until it is one. */
export async function askEmail(site: Site, context: CommandContext): Promise<string> {
  return answerTo('Address:', context, async (answer) => {
    const email = normalizeEmail(answer)
    refuseEmail(site.shape, email)
    await refuseTaken(site, { email })
    return email
  })
}

/** Returns what `accept` makes of the answer. An answer that it refuses is asked for again, at once. */
async function answerTo<T>(
  question: string,
  context: CommandContext,
  accept: (answer: string) => Promise<T>,
): Promise<T> {
  const look = lookOf(context.stderr, context)
  for (;;) {
    const answer = await context.prompts.text(question, look)
    try {
      return await accept(answer)
    } catch (error) {
      if (!(error instanceof UserError)) throw error
      await context.stderr.write(`${plainText(error.message)}\n`)
    }
  }
}
