import { emailProblem, normalizeEmail } from '../../django/email.ts'
import { normalizeUsername, usernameProblem } from '../../django/username.ts'
import { invalid } from '../../errors.ts'
import { type CreatedUser, createUser as createUserIn } from '../../users/create.ts'
import type { NewUser } from '../../users/new-user.ts'
import { refuseTaken } from '../../users/refuse-taken.ts'
import { pastInstant, type WallClock } from '../../values/dates.ts'
import { withName } from '../../values/readers.ts'
import { askEmail, askUsername } from '../ask-user.ts'
import { type CommandContext, canAsk } from '../command-context.ts'
import type { CreateUserOptions } from '../commands/create-user.ts'
import { clockOf } from '../criteria.ts'
import { newPassword, refuseWithoutPassword } from '../new-password.ts'
import { printReport } from '../print-report.ts'
import { plainText } from '../render/plain-text.ts'
import { withRun } from '../with-run.ts'
import { settingsOf, withSite } from '../with-site.ts'

/** Creates a user from the options, and from what a person at the terminal answers for those that are missing. */
export async function createUser(
  context: CommandContext,
  username: string | undefined,
  options: CreateUserOptions,
): Promise<void> {
  const settings = await settingsOf(context)
  const details = detailsFrom(options, clockOf(options, settings.configured, context))
  refuseImpossible(username, options)
  const asking = canAsk(context)
  if (options.email === undefined && !asking) throw invalid('no address is given', 'use --email ADDRESS')
  refuseWithoutPassword(context, options)
  await withSite(
    context,
    async (site) => {
      if (asking) await refuseTaken(site, { username, email: options.email })
      const name = username ?? (asking ? await askUsername(site, context) : undefined)
      const email = options.email ?? (await askEmail(site, context))
      const { firstName, lastName } = options
      const password = await newPassword(context, options, {
        username: name,
        firstName,
        lastName,
        email,
      })
      const user = await withRun(
        context,
        site,
        { command: 'create-user', options },
        () => createUserIn(site, { ...details, username: name, email, password }, context.now()),
        () => ({ outcome: 'done', counts: { created: 1 } }),
      )
      await print(user, options, context)
    },
    { settings },
  )
}

/** What no database could make right is refused before anything is asked. */
function refuseImpossible(username: string | undefined, { email }: CreateUserOptions): void {
  const wrongName =
    username === undefined ? undefined : usernameProblem(normalizeUsername(username), Infinity)
  if (wrongName !== undefined) throw invalid(`username: ${wrongName}`)
  const wrongEmail = email === undefined ? undefined : emailProblem(normalizeEmail(email))
  if (wrongEmail !== undefined) throw invalid(`email: ${wrongEmail}`)
}

function detailsFrom(options: CreateUserOptions, clock: WallClock): Omit<NewUser, 'email'> {
  const { dateJoined, lastLogin } = options
  return {
    firstName: options.firstName,
    lastName: options.lastName,
    isStaff: options.staff,
    isSuperuser: options.superuser,
    isInactive: options.inactive,
    verified: options.verified,
    groups: options.group,
    dateJoined:
      dateJoined === undefined ? undefined : withName('--date-joined', () => pastInstant(dateJoined, clock)),
    lastLogin:
      lastLogin === undefined ? undefined : withName('--last-login', () => pastInstant(lastLogin, clock)),
  }
}

async function print(
  { id, username, email, leftEmpty }: CreatedUser,
  { porcelain }: CreateUserOptions,
  context: CommandContext,
): Promise<void> {
  const name = username === undefined ? email : `${username} <${email}>`
  const text = porcelain ? `${id}\n` : `${plainText(`created ${name} with id ${id}`)}\n`
  await printReport(context, text, () => {})
  if (leftEmpty.length > 0) {
    await context.talk.say(leftEmptyText(leftEmpty))
  }
}

function leftEmptyText(columns: readonly string[]): string {
  const names = columns.join(', ')
  return columns.length === 1
    ? `the column ${names} was left empty: create-user has no option for it`
    : `the columns ${names} were left empty: create-user has no options for them`
}
