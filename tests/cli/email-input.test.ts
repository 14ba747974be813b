import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { reminders } from '../support/campaign.ts'
import { describeEachDatabase } from '../support/databases.ts'
import { mailingSite, writeFiles } from './mailing.ts'

describeEachDatabase('bad input ends email with one line, and nothing is sent', (harness) => {
  const GOOD: Readonly<Record<string, string>> = {
    '--since': '2020-01-01',
    '--from': 'forum@site.example',
    '--site-url': 'https://site.example',
    '--secret-key-file': 'secret-key.txt',
    '--outbox': 'outbox',
  }
  const FILES = {
    'empty.txt': '\n',
    'assignment.txt': "SECRET_KEY = 'x'\n",
    'usermgmt.config.yaml': 'time_zone: UTC\n',
  }

  /** What differs from what is good (an option without a value is left out), the exit code, and how the line begins. */
  type Case = readonly [Record<string, string | undefined>, number, string]

  test.each<Case>([
    [{ '--from': undefined }, 2, 'nobody is named who sends the mails'],
    [{ '--from': 'nobody' }, 2, '--from: "nobody" is not the address of one sender'],
    [
      { '--from': 'a@x.example,b@x.example' },
      2,
      '--from: "a@x.example,b@x.example" is not the address of one sender',
    ],
    [{ '--reply-to': '@' }, 2, '--reply-to: "@" is not the address of one sender'],
    [{ '--list-unsubscribe': 'stop' }, 2, '--list-unsubscribe: "stop" is no place to unsubscribe'],
    [{ '--secret-key-file': undefined }, 2, 'a confirmation link is signed, and no key is given'],
    [{ '--secret-key-file': 'missing.txt' }, 1, 'the secret key cannot be read from'],
    [{ '--secret-key-file': 'empty.txt' }, 2, 'DIR/empty.txt holds no secret key: it is empty'],
    [
      { '--secret-key-file': 'assignment.txt' },
      2,
      'DIR/assignment.txt holds an assignment, not the key alone',
    ],
    [{ '--outbox': undefined }, 2, 'no mail server is named'],
    [{ '--outbox': 'secret-key.txt' }, 1, 'the outbox DIR/secret-key.txt cannot be written to'],
    [{ '--outbox': undefined, '--smtp-url': 'mail.example' }, 2, 'the SMTP URL cannot be read'],
    [
      { '--outbox': undefined, '--smtp-url': 'smtp://ann:do-not-print-me@mail.example' },
      2,
      '--smtp-url: a password on the command line can be seen by everybody on this machine',
    ],
    [
      { '--outbox': undefined, '--smtp-url': 'smtp://mail.example?ca=missing.pem' },
      1,
      'the certificates cannot be read from DIR/missing.pem',
    ],
    [{ '--outbox': undefined, '--sendmail': '/missing' }, 1, 'there is no program /missing'],
    [
      { '--templates': 'missing' },
      1,
      'the templates cannot be read from DIR/missing: there is no such file or directory',
    ],
    [{ '--templates': 'none' }, 2, 'there is no template in DIR/none'],
    [{ '--templates': 'syntax' }, 2, 'the template reminder.txt.liquid, line 2: '],
    [{ '--templates': 'unknown' }, 2, 'the template reminder.html.liquid, line 1: undefined variable: usr'],
    [
      { '--link-template': 'https://site.example/confirm/' },
      2,
      'the link that confirms has no place for its key',
    ],
    [{ '--link-template': 'site.example' }, 2, '--link-template: "site.example" is not a URL of a page'],
    [{ '--site-url': 'ftp://site.example' }, 2, '--site-url: "ftp://site.example" is not a URL of a page'],
    [{ '--site-url': undefined }, 1, 'the database does not say where the site is'],
    [{ '--expires': '0' }, 2, '--expires: "0" is not a whole number above 0'],
    [{ '--rate': 'fast' }, 2, '--rate: "fast" is not a number of mails in a second'],
    [{ '--again-after': '7' }, 2, '--again-after: "7" is not an age'],
    [
      { '--max-failures': '120%' },
      2,
      '--max-failures: "120%" is neither a whole number above 0 nor a percentage up to 100%',
    ],
    [{ '--confirmation': 'none' }, 2, "option '--confirmation <kind>' argument 'none' is invalid."],
    [{ '--html': 'x.html' }, 2, '--html is for the mail that --preview shows'],
    [{ '--preview': 'anna' }, 2, "option '--preview <user>' cannot be used with option '--yes'"],
    [
      { '--smtp-url': 'smtp://x.example' },
      2,
      "option '--outbox <directory>' cannot be used with option '--smtp-url <url>'",
    ],
  ])('%j', async (changes, exit, line) => {
    const { site, directory, run } = await mailingSite(harness)
    await writeFiles(directory, FILES)
    await writeFiles(join(directory, 'none'), { 'other.txt': '' })
    await writeFiles(join(directory, 'syntax'), { 'reminder.txt.liquid': 'Hello\n{% if %}' })
    await writeFiles(join(directory, 'unknown'), { 'reminder.html.liquid': '<p>{{ usr.id }}' })
    const options = Object.entries({ ...GOOD, ...changes }).filter(([, value]) => value !== undefined)
    const ran = await run(['email', '--yes', '--quiet', ...options.flat().map(String)])
    const [first = '', ...rest] = ran.stderr.replaceAll(directory, 'DIR').trimEnd().split('\n')
    expect({ exit: ran.exit, stdout: ran.stdout, first }).toEqual({
      exit,
      stdout: '',
      first: expect.stringContaining(`usermgmt: ${line}`),
    })
    expect(rest.filter((each) => !each.startsWith('hint: '))).toEqual([])
    expect(ran.stderr).not.toContain('do-not-print-me')
    expect(await readdir(directory)).not.toContain('outbox')
    expect(await reminders(site)).toEqual([])
  })

  test.each<[string, string, object?]>([
    ['--smtp-url http://mail.example', 'the SMTP URL cannot be read'],
    ['--smtp-url mail.example', 'the SMTP URL cannot be read'],
    ['--smtp-url smtp://mail.example?tls=of', 'the SMTP URL has a tls that does not exist'],
    ['--smtp-url smtp://ann@mail.example', 'the mail server gets a login without a password'],
    ['--quiet', 'the SMTP URL cannot be read', { USERMGMT_SMTP_URL: 'mail.example' }],
    ['--smtp-url smtp://mail.example?ca=missing.pem', 'the certificates cannot be read from'],
    ['--sendmail /missing', 'there is no program /missing'],
  ])('%s: before anybody is asked, and before the database is looked at', async (args, message, env = {}) => {
    const { email } = await mailingSite(harness)
    const ran = await email(`--database missing.sqlite3 ${args}`, {
      terminal: { columns: 80 },
      env: { ...env },
    })
    expect(ran).toMatchObject({ stdout: '', stderr: expect.stringMatching(/^usermgmt: /) })
    expect(ran.stderr).toContain(message)
  })

  test('a preview as JSON', async () => {
    const { email } = await mailingSite(harness)
    expect(await email('--preview anna --format json')).toMatchObject({
      exit: 2,
      stdout: '',
      stderr: 'usermgmt: --preview shows a mail as text: it does not go with --format json\n',
    })
  })

  test('without a ledger', async () => {
    const { email } = await mailingSite(harness, { bare: true })
    expect(await email('--yes --outbox outbox')).toMatchObject({
      exit: 1,
      stdout: '',
      stderr:
        'usermgmt: there is no ledger: who has been mailed could not be remembered; usermgmt migrate makes its tables\n',
    })
    const { exit, stderr } = await email('--dry-run --outbox outbox')
    expect({ exit, stderr }).toEqual({
      exit: 0,
      stderr: 'before mails can be sent: usermgmt migrate makes the ledger\n',
    })
  })
})
