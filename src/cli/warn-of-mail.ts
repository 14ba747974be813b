import { UserError } from '../errors.ts'
import type { Talk } from './talk.ts'

/** Says what a dry run need not know, and what would keep the mails from going out. */
export async function warnOfMail(check: () => Promise<unknown>, talk: Talk): Promise<void> {
  try {
    await check()
  } catch (error) {
    if (!(error instanceof UserError)) throw error
    const words = [error.message, error.hint].filter(Boolean).join('; ')
    await talk.say(`before mails can be sent: ${words}`)
  }
}
