import { describe, expect, test } from 'vitest'
import { createProgram } from '../../src/cli/program.ts'
import { recordedOptions } from '../../src/cli/recorded-options.ts'
import { packageVersion } from '../../src/package-root.ts'
import { DEFAULT_FIELDS, LIST_FIELDS, SORT_FIELDS } from '../../src/users/list-fields.ts'
import { contextOf, usermgmt } from './run.ts'

const WHOLE = createProgram(contextOf({}).context).commands.filter((command) => command.name() !== 'help')
/** Options that hold no secret and nobody's name or address. */
const NAMING_NOBODY = [
  'againAfter anyDatabase archive batchSize cascade concurrency confirmation dateJoined despiteFailures dryRun',
  'emailDomain expires format grace group html inactive include jobs joinedBefore lastLogin limit link maxDelete',
  'maxFailures maxReminders neverLoggedIn outbox password passwordStdin plan planOut porcelain protectFrom rate',
  'remindedBefore retryUncertain secretKeyFile sendmail setNull since siteName siteUrl staff superuser templates',
  'timeZone usersFrom verified yes',
].join(' ')
const COMMANDS = WHOLE.map((command) => command.name())

test.each(
  WHOLE.flatMap((command) =>
    [command.name(), ...command.aliases()].map((called) => [called, command.name()]),
  ),
)('asked for %s, describes nothing but %s', (called, name) => {
  const { commands } = createProgram(contextOf({}).context, ['--quiet', called, '--verbose'])
  expect(commands.map((command) => command.name())).toEqual([name])
})

test('each option of a command that changes something is recorded as somebody has decided', () => {
  const changing = WHOLE.filter((command) =>
    ['email', 'purge', 'sweep', 'restore', 'create-user'].includes(command.name()),
  )
  const options = changing.flatMap((command) => command.options.map((option) => option.attributeName()))
  const recorded = recordedOptions(Object.fromEntries(options.map((name) => [name, ['x', 'y']])))
  const counted = Object.keys(recorded).filter((name) => recorded[name] === '2 given')
  expect(counted.sort().join(' ')).toBe('email firstName lastName preview protect user')
  const asGiven = Object.keys(recorded).filter((name) => !counted.includes(name))
  expect(asGiven.sort().join(' ')).toBe(NAMING_NOBODY)
})

describe('help', () => {
  test.each([['--help'], ['help']])('%s names every command and the exit codes', async (argument) => {
    const { exit, stdout, stderr } = await usermgmt([argument])
    expect({ exit, stderr }).toEqual({ exit: 0, stderr: '' })
    for (const name of COMMANDS) expect(stdout).toContain(`\n  ${name}`)
    expect(stdout).toContain('3 refused for safety')
  })

  test.each(COMMANDS)('%s --help shows its options, the global ones and examples', async (command) => {
    const { exit, stdout } = await usermgmt([command, '--help'])
    expect(exit).toBe(0)
    expect(stdout).toContain('\nGlobal Options:\n')
    expect(stdout).toMatch(/\nExamples:\n {2}\$ usermgmt /)
    expect((await usermgmt(['help', command])).stdout).toBe(stdout)
  })

  test('a command of a command has help, too', async () => {
    const { exit, stdout } = await usermgmt(['help', 'archive', 'prune'])
    expect(exit).toBe(0)
    expect(stdout).toBe((await usermgmt(['archive', 'prune', '--help'])).stdout)
  })

  test('nothing at all is a usage error that shows the help', async () => {
    const { exit, stdout, stderr } = await usermgmt([])
    expect({ exit, stdout }).toEqual({ exit: 2, stdout: '' })
    expect(stderr).toContain('Usage: usermgmt')
  })

  test('lists the fields that there are', async () => {
    const words = (await usermgmt(['list', '--help'])).stdout.replace(/\s+/g, ' ')
    expect(words).toContain(`of ${LIST_FIELDS.join(', ')} (default: the first ${DEFAULT_FIELDS.length})`)
    expect(words).toContain(`by ${SORT_FIELDS.join(', ')};`)
  })

  test.each([
    ['purge', '(default: 50% or 100, whichever is more)'],
    ['purge', '(default: archive in the configuration file, or else usermgmt-archive)'],
    ['email', '(default: 10% of those tried or 20, whichever is more)'],
    ['email', 'nobody again within --again-after, nor more often than --max-reminders'],
    ['link', 'its ACCOUNT_EMAIL_CONFIRMATION_EXPIRE_DAYS (default: 3)'],
  ])('of %s says: %s', async (command, text) => {
    expect((await usermgmt([command, '--help'])).stdout.replace(/\s+/g, ' ')).toContain(text)
  })
})

test.each([['-V'], ['--version']])('%s', async (argument) => {
  expect(await usermgmt([argument])).toMatchObject({ exit: 0, stdout: `${packageVersion()}\n`, stderr: '' })
})

test.each([
  ['list-unverified', 'list'],
  ['purge', 'purge-unverified'],
])('%s is also %s', async (name, alias) => {
  expect((await usermgmt([alias, '--help'])).stdout).toBe((await usermgmt([name, '--help'])).stdout)
})

test.each([
  ['--database', 'missing.db', '--quiet', 'list'],
  ['list', '--database', 'missing.db', '--quiet'],
  ['--quiet', 'list', '--database', 'missing.db'],
])('global options stand anywhere: %s %s %s %s', async (...args) => {
  expect((await usermgmt(args)).stderr).toMatch(
    /^usermgmt: there is no database file at \/\S+\/missing\.db; /,
  )
})
