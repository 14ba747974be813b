import { emailProblem, normalizeEmail } from '../../django/email.ts'
import { normalizeUsername, usernameProblem } from '../../django/username.ts'
import type { Site } from '../../site/site.ts'
import { type CreatedUser, createUser as createUserIn } from '../../users/create.ts'
import type { NewUser } from '../../users/new-user.ts'
import type { CreateUserOptions } from '../commands/create-user.ts'
import { type Context, canAsk, type GlobalOptions } from '../context.ts'
import { clockOf } from '../criteria.ts'
import { type Clock, pastInstant } from '../dates.ts'
import { newPassword, refuseWithoutPassword } from '../new-password.ts'
import { plainText } from '../render/plain-text.ts'
import { talkOf } from '../talk.ts'
import { invalid, named } from '../values.ts'
import { settingsOf, withSite } from '../with-site.ts'

/** Creates a user from the options, and from what a person at the terminal answers for those that are missing. */
export async function createUser(
  context: Context,
  globals: GlobalOptions,
  username: string | undefined,
  options: CreateUserOptions,
): Promise<void> {
  const settings = await settingsOf(context, globals)
  const details = detailsFrom(options, clockOf(options, settings.configured, context))
  refuseImpossible(username, options)
  const asking = canAsk(context, globals)
  if (options.email === undefined && !asking) throw invalid('no address is given', 'use --email ADDRESS')
  refuseWithoutPassword(context, globals, options)
  await withSite(
    context,
    globals,
    async (site) => {
      const name = username ?? (asking ? await askUsername(site, context) : undefined)
      const email = options.email ?? (await askEmail(context))
      const { firstName, lastName } = options
      const password = await newPassword(context, options, { username: name, firstName, lastName, email })
      const user = await createUserIn(site, { ...details, username: name, email, password }, context.now())
      await print(user, options, context, globals)
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

function detailsFrom(options: CreateUserOptions, clock: Clock): Omit<NewUser, 'email'> {
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
      dateJoined === undefined ? undefined : named('--date-joined', () => pastInstant(dateJoined, clock)),
    lastLogin:
      lastLogin === undefined ? undefined : named('--last-login', () => pastInstant(lastLogin, clock)),
  }
}

/** Undefined when the user model has none, or the person leaves it to the address. */
async function askUsername(site: Site, { prompts }: Context): Promise<string | undefined> {
  if (!site.tables.users.username) return undefined
  return (await prompts.text('Username (empty: made from the address):')).trim() || undefined
}

/** Wrong input to a question is asked again. */
async function askEmail({ prompts, stderr }: Context): Promise<string> {
  for (;;) {
    const email = normalizeEmail(await prompts.text('Address:'))
    const problem = emailProblem(email)
    if (problem === undefined) return email
    await stderr.write(`${problem}\n`)
  }
}

async function print(
  { id, username, email, leftEmpty }: CreatedUser,
  { porcelain }: CreateUserOptions,
  context: Context,
  globals: GlobalOptions,
): Promise<void> {
  const name = username === undefined ? email : `${username} <${email}>`
  await context.stdout.write(porcelain ? `${id}\n` : plainText(`created ${name} with id ${id}`).concat('\n'))
  if (leftEmpty.length > 0) {
    await talkOf(context, globals).say(`left empty, as nothing says otherwise: ${leftEmpty.join(', ')}`)
  }
}
