import { chmod, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { simpleParser } from 'mailparser'
import { expect, test } from 'vitest'
import { EMAIL_EXAMPLES } from '../../src/cli/commands/email.ts'
import { LINK_EXAMPLES } from '../../src/cli/commands/link.ts'
import { recordReminder, reminders } from '../support/campaign.ts'
import { readConfirmationKey } from '../support/confirmation-key.ts'
import { describeEachDatabase } from '../support/databases.ts'
import { rowsOf } from '../support/sites.ts'
import { startMailServer } from '../support/smtp.ts'
import { addUser } from '../support/users.ts'
import { mailingSite, recipientOf, SENDER, writeFiles } from './mailing.ts'

const PEOPLE = ['anna@example.com', 'x81@mail.example', 'x82@mail.example']

/** Which one, the examples leave to the environment. */
const SERVER = { USERMGMT_SMTP_URL: 'smtp://mail.example' }

describeEachDatabase('the examples in the help of email and link print what they say', (harness) => {
  test.each([...EMAIL_EXAMPLES, ...LINK_EXAMPLES])('$command', async ({ command, output }) => {
    const { run } = await mailingSite(harness)
    expect((await run(command.replace('usermgmt ', ''), { env: SERVER })).screen.trimEnd()).toBe(output)
  })
})

describeEachDatabase('email', (harness) => {
  test('sends each a mail over SMTP, once', async () => {
    const { site, email } = await mailingSite(harness)
    const server = await startMailServer()
    const args = `--yes --rate 0 --format json --smtp-url smtp://127.0.0.1:${server.port}?tls=off`
    const { exit, stdout, stderr } = await email(args)
    expect({ exit, stderr }).toEqual({
      exit: 0,
      stderr: `3 users to mail, of 4 candidates
primary address unverified, not logged in since 2020-01-01 00:00 UTC (or never)

Kept
  1  staff  is staff or superuser
`,
    })
    expect(JSON.parse(stdout)).toEqual({
      since: '2020-01-01T00:00:00Z',
      matched: 4,
      sent: 3,
      bounced: 0,
      failed: 0,
      uncertain: 0,
      kept: { staff: 1 },
      skipped: {},
      changed: 0,
      problems: [],
      stopped: null,
    })
    expect(server.mails.map(({ recipient }) => recipient).sort()).toEqual(PEOPLE)
    for (const { recipient, source } of server.mails) {
      const mail = await simpleParser(source)
      expect(recipientOf(mail)).toBe(recipient)
      expect(mail.from?.value).toEqual([{ name: 'Forum', address: 'forum@site.example' }])
      expect(mail.headers.get('auto-submitted')).toBe('auto-generated')
      expect(mail.text).toContain(recipient)
      expect(mail.html).toContain(recipient)
    }
    expect(JSON.parse((await email(args)).stdout)).toMatchObject({ sent: 0, skipped: { reminded: 3 } })
    expect(server.mails).toHaveLength(3)
    const [run] = await rowsOf(site.db, 'usermgmt_run')
    expect(run).toMatchObject({ command: 'email', outcome: 'done' })
    expect(JSON.stringify(run)).not.toMatch(/forum@|127\.0\.0\.1|secret\n/)
  })

  test('carries a link to the row of the address, which expires', async () => {
    const { site, email, outbox } = await mailingSite(harness)
    await email('--yes --outbox outbox --expires 5 --salt pepper')
    const addresses = await rowsOf(site.db, 'account_emailaddress')
    const mails = await outbox()
    expect([...mails.keys()].sort()).toEqual(PEOPLE)
    for (const [recipient, { text = '' }] of mails) {
      const [, key = ''] = /confirm-email\/(.*)\//.exec(text) ?? []
      const signed = { secret: 'secret', salt: 'pepper' }
      const { id } = addresses.find((row) => row.email === recipient) ?? {}
      expect(readConfirmationKey(decodeURIComponent(key), signed)).toMatchObject({
        addressId: BigInt(String(id)),
      })
      expect(text).toContain('20 June 2025, 12:00 UTC')
    }
  })

  test('is recorded with its options, without a secret and without an address', async () => {
    const { run, email } = await mailingSite(harness)
    const unrecorded = '--salt pepper --reply-to a@site.example --list-unsubscribe mailto:b@site.example'
    await email(
      `--yes --outbox outbox --max-failures 5% --user x81@mail.example --protect x82@mail.example ${unrecorded}`,
    )
    const [{ run: id, options }] = JSON.parse((await run('history --format json')).stdout)
    expect(options).toEqual({
      max_failures: '5%',
      since: '2020-01-01',
      site_url: 'https://site.example/',
      secret_key_file: 'secret-key.txt',
      yes: true,
      outbox: 'outbox',
      user: '1 given',
      protect: '1 given',
      format: 'text',
    })
    const { stdout } = await run(`history ${id}`)
    for (const typed of [
      '--site-url https://site.example/',
      '--max-failures 5%',
      ' --yes ',
      '--user … (1 given)',
    ]) {
      expect(stdout).toContain(typed)
    }
  })

  test('has no header and no element of HTML from a hostile name', async () => {
    const { site, email, outbox } = await mailingSite(harness)
    const names = [
      'a\r\nBcc: all@example.com',
      '<script>alert(1)</script>',
      '=?utf-8?q?=0d=0aBcc:x?=',
      '{{ link }}',
    ]
    for (const [i, username] of names.entries()) {
      await addUser(site, { username, firstName: username.slice(0, 30), email: `h${i}@mail.example` })
    }
    await addUser(site, { username: 'evil', email: 'evil@mail.example\r\nBcc: all@example.com' })
    const { stdout } = await email('--yes --outbox outbox --rate 0 --format json')
    expect(JSON.parse(stdout)).toMatchObject({ sent: 7, skipped: { unmailable: 1 } })
    for (const [recipient, mail] of await outbox()) {
      expect(recipient).not.toContain(',')
      expect([...mail.headers.keys()].sort()).toEqual([
        ...['auto-submitted', 'content-type', 'date', 'from', 'message-id', 'mime-version', 'subject', 'to'],
      ])
      expect(mail.html).not.toContain('<script>')
      expect(mail.text).not.toMatch(/Bcc|\{\{/)
    }
  })

  test('has the templates, the sender and the server of the configuration file', async () => {
    const { directory, run } = await mailingSite(harness)
    const server = await startMailServer(
      {},
      { authMethods: ['PLAIN'], allowInsecureAuth: true, authOptional: false },
    )
    await writeFiles(join(directory, 'mails'), { 'reminder.subject.liquid': 'Hallo {{ user.username }}' })
    const mail = {
      from: 'Das Forum <forum@bücher.example>',
      reply_to: 'help@site.example',
      list_unsubscribe: 'https://site.example/stop',
      site_url: 'https://site.example/',
      secret_key_file: 'secret-key.txt',
      templates: 'mails',
      smtp_url: `smtp://ann@127.0.0.1:${server.port}?tls=off`,
      rate: 0,
    }
    await writeFiles(directory, { 'usermgmt.config.json': JSON.stringify({ mail }) })
    const env = { USERMGMT_SMTP_PASSWORD: 'pa%ss' }
    expect(await run('remind --since 2020-01-01 --user anna --yes --quiet', { env })).toMatchObject({
      exit: 0,
      stdout: '1 user mailed, of 1 candidate\n',
      stderr: '',
    })
    expect(server.logins).toEqual(['ann:pa%ss'])
    const parsed = await simpleParser(server.mails[0]?.source ?? '')
    expect(parsed).toMatchObject({ subject: 'Hallo anna', replyTo: { text: 'help@site.example' } })
    expect(parsed.headers.get('list')).toMatchObject({ unsubscribe: { url: 'https://site.example/stop' } })
  })

  test('prefers the server of the environment to that of the file', async () => {
    const { directory, email } = await mailingSite(harness)
    const server = await startMailServer()
    await writeFiles(directory, { 'usermgmt.config.json': JSON.stringify({ mail: { outbox: 'outbox' } }) })
    const env = { USERMGMT_SMTP_URL: `smtp://127.0.0.1:${server.port}?tls=off` }
    expect(await email('--yes --limit 1', { env })).toMatchObject({ exit: 0 })
    expect(server.mails).toHaveLength(1)
    expect(await readdir(directory)).not.toContain('outbox')
  })

  test('leads to the login page where no link can confirm', async () => {
    const { run, outbox } = await mailingSite(harness)
    const args = [
      'email',
      '--since',
      '2020-01-01',
      ...SENDER,
      '--link',
      'login',
      '--outbox',
      'outbox',
      '--yes',
    ]
    expect(await run(args)).toMatchObject({ exit: 0 })
    const text = (await outbox()).get('anna@example.com')?.text
    expect(text).toContain('https://site.example/accounts/login/')
    expect(text).not.toMatch(/works until|press the button/)
  })

  test('makes rows for a site that keeps its confirmations', async () => {
    const { site, run, outbox } = await mailingSite(harness)
    const link = ['--confirmation', 'database', '--link-template', 'https://app.example/verify?key={key}']
    const from = ['--from', 'forum@site.example', '--outbox', 'outbox', '--user', 'anna', '--yes']
    expect(await run(['email', '--since', '2020-01-01', ...link, ...from])).toMatchObject({ exit: 0 })
    const [row] = await rowsOf(site.db, 'account_emailconfirmation')
    const mail = (await outbox()).get('anna@example.com')
    expect(mail?.text).toContain(`https://app.example/verify?key=${row?.key}\n`)
    expect(mail?.subject).toBe('Please confirm your email address for app.example')
  })

  test('sends what the sendmail of this machine takes', async () => {
    const { directory, email } = await mailingSite(harness)
    const program = join(directory, 'sendmail.sh')
    await writeFiles(directory, {
      'sendmail.sh': `#!/bin/sh\necho "$@" >> ${directory}/args\ncat > /dev/null\n`,
    })
    await chmod(program, 0o755)
    expect(await email(`--yes --user anna --sendmail ${program}`)).toMatchObject({ exit: 0 })
    expect(await readFile(join(directory, 'args'), 'utf8')).toMatch(/anna@example\.com\n$/)
  })
})

describeEachDatabase('email asks', (harness) => {
  const terminal = { columns: 80 }

  test('for the number of users', async () => {
    const { email, outbox } = await mailingSite(harness)
    expect(await email('--outbox outbox', { terminal, typed: ['3'] })).toMatchObject({ exit: 0 })
    expect((await outbox()).size).toBe(3)
  })

  test.each([
    ['another number', { terminal, typed: ['2'] }, 'not confirmed: nothing has been sent'],
    ['nobody there', {}, 'not confirmed, and nobody to ask: nothing has been sent'],
  ])('and sends nothing for %s', async (_, situation, message) => {
    const { email, outbox, site } = await mailingSite(harness)
    const { exit, stderr } = await email('--outbox outbox', situation)
    expect({ exit, last: stderr.split('usermgmt: ')[1]?.split(/[\n;]/)[0] }).toEqual({
      exit: 3,
      last: message,
    })
    expect((await outbox()).size).toBe(0)
    expect(await reminders(site)).toEqual([])
  })
})

describeEachDatabase('email shows', (harness) => {
  test('a plan, and sends nothing', async () => {
    const { email, outbox, site } = await mailingSite(harness)
    await recordReminder(site, { user: '2', email: 'anna@example.com', at: '2025-06-14T00:00:00Z' })
    await recordReminder(site, { user: '3', email: 'x81@mail.example', status: 'bounced' })
    await recordReminder(site, { user: '4', email: 'x82@mail.example', status: 'sending' })
    expect(await email('--dry-run --outbox outbox')).toMatchObject({
      exit: 0,
      stdout: `0 users to mail, of 4 candidates
primary address unverified, not logged in since 2020-01-01 00:00 UTC (or never)

Kept
  1  staff  is staff or superuser

Left alone
  1  reminded   reminded within --again-after
  1  bounced    a mail to the address has bounced
  1  uncertain  the last mail was cut off, and may have arrived (email --retry-uncertain)
`,
    })
    const { stdout } = await email('--dry-run --again-after 12h --retry-uncertain --format json')
    expect(JSON.parse(stdout)).toEqual({
      since: '2020-01-01T00:00:00Z',
      matched: 4,
      to_mail: 2,
      kept: { staff: 1 },
      skipped: { bounced: 1 },
    })
    expect((await outbox()).size).toBe(0)
  })

  test('a plan, and what would keep its mails from going out', async () => {
    const { email, directory } = await mailingSite(harness)
    const says = async (way = '') => (await email(`--dry-run --format json${way}`)).stderr
    expect(await says()).toMatch(/\nbefore mails can be sent: no mail server is named; mail\.smtp_url, .*\n$/)
    expect(await says(' --smtp-url http://mail.example')).toMatch(/\nbefore mails can be sent: .*smtp/)
    expect(await says(' --outbox outbox/of/today')).not.toContain('before')
    expect(await says(' --outbox /etc/passwd/mails')).toMatch(
      /\nbefore mails can be sent: the outbox \/etc\/passwd\/mails cannot be written to: a part of its path is no directory; name .*\n$/,
    )
    expect(await readdir(directory)).not.toContain('outbox')
  })

  test('the mail of one user, on a site without a ledger and without a mail server', async () => {
    const { email, directory } = await mailingSite(harness, { bare: true })
    const html = join(directory, 'mail.html')
    await writeFile(html, '<p>another mail, of the same length or longer '.repeat(200), { mode: 0o644 })
    const { exit, stdout, stderr } = await email('--preview anna --html mail.html')
    expect({ exit, stderr }).toEqual({ exit: 0, stderr: '' })
    expect(stdout).toMatch(
      /^From: Forum <forum@site\.example>\nTo: anna@example\.com\nSubject: Please confirm/,
    )
    expect(await readFile(html, 'utf8')).toMatch(/Is this your address\?[\s\S]*<\/html>\s*$/)
    expect((await stat(html)).mode & 0o777).toBe(0o600)
  })

  test('in no file that is something else', async () => {
    const { email, directory } = await mailingSite(harness, { bare: true })
    await writeFile(join(directory, 'site.db'), 'SQLite format 3')
    const { exit, stdout, stderr } = await email('--preview anna --html site.db')
    expect({ exit, stdout }).toEqual({ exit: 3, stdout: '' })
    expect(stderr).toMatch(
      /^usermgmt: --html: \S+site\.db is there already, and is no HTML; name another file.*\n$/,
    )
    expect(await readFile(join(directory, 'site.db'), 'utf8')).toBe('SQLite format 3')
  })

  test('that the mail of a preview would not be sent', async () => {
    const { site, email } = await mailingSite(harness)
    for (const [username, address] of [
      ['injecting', 'a@b.example\nBcc: x@y.example'],
      ['empty', ''],
      ['two', 'a@b.example, c@d.example'],
    ] as const) {
      await addUser(site, { username, email: address })
    }
    await recordReminder(site, { user: '3', email: 'x81@mail.example', at: '2025-06-14T00:00:00Z' })
    for (const [user, reason] of [
      ['injecting', 'no mail can be addressed so'],
      ['empty', 'no mail can be addressed so'],
      ['two', 'no mail can be addressed so'],
      ['root', 'the user is staff or superuser'],
      ['cleo', 'the user is not selected'],
      ['anna --user ben', 'the user is not selected'],
      ['x81@mail.example', 'reminded within --again-after'],
    ]) {
      const { exit, stdout, stderr } = await email(`--preview ${user}`)
      expect({ exit, stderr }).toEqual({ exit: 0, stderr: `would not be sent: ${reason}\n` })
      expect(stdout).toMatch(/^From: .*\nTo: .*\nSubject: Please confirm/)
    }
  })

  test('nothing to cron when nobody is mailed', async () => {
    const { email } = await mailingSite(harness)
    expect(await email('--yes --quiet --outbox outbox --user root')).toMatchObject({ exit: 0, screen: '' })
  })

  test('why nobody is mailed', async () => {
    const { email } = await mailingSite(harness)
    const { exit, stderr } = await email('--yes --outbox outbox --joined-before 2000-01-01')
    expect({ exit, stderr }).toMatchObject({ exit: 0, stderr: expect.stringContaining('no user matches:') })
  })
})
