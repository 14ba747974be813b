import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { eq } from 'drizzle-orm'
import { simpleParser } from 'mailparser'
import { describe, expect, test } from 'vitest'
import { SWEEP_EXAMPLES } from '../../src/cli/commands/sweep.ts'
import { LedgerRun } from '../../src/ledger/run.ts'
import { reminders } from '../support/campaign.ts'
import { describeDatabase, describeEachDatabase } from '../support/databases.ts'
import { directoryOfTest } from '../support/directory.ts'
import { insert, rowsOf } from '../support/sites.ts'
import { addUser } from '../support/users.ts'
import { recipientOf } from './mailing.ts'
import { usermgmt } from './run.ts'
import { POLICY, siteWithPolicy } from './sweep-site.ts'

/** Answers as the address says. */
const SENDMAIL = `#!/bin/sh
cat >/dev/null
case "$*" in
  *bounced*) exit 67;;
  *failed*) exit 77;;
  *cut*) kill -KILL $$;;
esac
`

async function mailsIn(outbox: string) {
  const names = await readdir(outbox)
  return Promise.all(names.map(async (name) => simpleParser(await readFile(join(outbox, name)))))
}

describeEachDatabase('sweep', (harness) => {
  test('reminds, waits for the date in the mail, and deletes then', async () => {
    const { site, sweep, outbox } = await siteWithPolicy(harness)
    const users = await site.db.$count(site.tables.users)
    const { steps } = JSON.parse((await sweep(0, '--dry-run', '--format', 'json')).stdout)
    expect(steps.remind).toBeGreaterThan(0)
    expect(steps.delete).toBe(0)

    const first = await sweep(0, '--format', 'json')
    expect(first).toMatchObject({ exit: 0 })
    expect(JSON.parse(first.stdout)).toMatchObject({
      reminders: { sent: steps.remind },
      deletions: { deleted: 0 },
    })
    // Once more, the same night.
    expect(await sweep(0, '--quiet')).toEqual({ exit: 0, stdout: '', stderr: '', screen: '' })

    // A reminder later, the date is still the same.
    await sweep(13, '--quiet')
    const mails = await mailsIn(outbox)
    expect(mails).toHaveLength(2 * steps.remind)
    const threatening = mails.filter((mail) => recipientOf(mail) !== 'anna@example.com')
    for (const { text } of threatening) expect(text).toMatch(/29 June 2025, 12:00\sUTC/)

    const early = JSON.parse((await sweep(14 - 1 / 86_400, '--format', 'json')).stdout)
    expect(early).toMatchObject({ reminders: { sent: 0 }, deletions: { deleted: 0 } })
    const due = JSON.parse((await sweep(14, '--dry-run', '--format', 'json')).stdout)
    expect(due.steps).toMatchObject({ remind: 0 })
    expect(due.steps.delete).toBeGreaterThan(0)
    const late = JSON.parse((await sweep(14, '--format', 'json')).stdout)
    expect(late).toMatchObject({ reminders: { sent: 0 }, deletions: { deleted: due.steps.delete } })
    expect(await site.db.$count(site.tables.users)).toBe(users - due.steps.delete)
    expect(await sweep(14, '--quiet')).toEqual({ exit: 0, stdout: '', stderr: '', screen: '' })
    const quiet = await sweep(14, '--quiet', '--format', 'json')
    expect(JSON.parse(quiet.stdout)).toMatchObject({ reminders: { sent: 0 }, deletions: { deleted: 0 } })
  })

  test('spares whoever verifies between the mail and the date', async () => {
    const { site, sweep } = await siteWithPolicy(harness)
    const users = await site.db.$count(site.tables.users)
    await sweep(0, '--quiet')
    await site.db.update(site.tables.emailAddresses).set({ verified: true })
    const { deletions } = JSON.parse((await sweep(14, '--format', 'json')).stdout)
    expect(deletions).toMatchObject({ deleted: 0 })
    expect(await site.db.$count(site.tables.users)).toBe(users)
  })

  test('spares whoever was sent a confirmation by the site after the mail, for the grace period', async () => {
    const { site, sweep } = await siteWithPolicy(harness)
    await sweep(0, '--quiet')
    const address = (await rowsOf(site.db, 'account_emailaddress')).find(({ user_id }) => user_id === '3')
    await insert(site, 'account_emailconfirmation', {
      email_address_id: Number(address?.id),
      sent: '2025-06-25T12:00:00Z',
    })
    const night = async (day: number) => JSON.parse((await sweep(day, '--format', 'json')).stdout).deletions
    expect(await night(14)).toMatchObject({ deleted: 1, kept: { recent: 1 } })
    expect((await rowsOf(site.db, 'auth_user')).map(({ id }) => id)).toContain('3')
    expect(await night(18)).toMatchObject({ deleted: 1 })
  })

  test('tells nobody of a deletion whom their rows will keep', async () => {
    const { site, run, sweep, outbox } = await siteWithPolicy(harness)
    await sweep(0, '--quiet')
    const text = (await mailsIn(outbox)).find((mail) => recipientOf(mail) === 'anna@example.com')?.text
    expect(text).toContain('may be deleted')
    expect(text).not.toContain('29 June')
    const rows = (await reminders(site)).map(({ user_key, deletion_at }) => [user_key, deletion_at])
    expect(rows).toEqual([
      ['2', null],
      ['3', '2025-06-29T12:00:00Z'],
      ['4', '2025-06-29T12:00:00Z'],
    ])
    const shown = await run(0, 'email', '--since', '2020-01-01', '--preview', 'anna')
    expect(shown.stdout).toContain('may be deleted')
    expect(shown.stdout).not.toContain('29 June')

    const stepOfAnna = async (days: number) =>
      (await sweep(days, '--dry-run', '--format', 'ndjson')).stdout
        .split('\n')
        .filter((line) => line.includes('anna@'))
        .map((line) => JSON.parse(line))
    expect(await stepOfAnna(1)).toMatchObject([
      { step: 'waiting', because: ['reminded'], deletion_date: null },
    ])
    await sweep(6, '--quiet')
    expect(await stepOfAnna(12)).toMatchObject([
      { step: 'waiting', because: ['enough'], deletion_date: null },
    ])
    expect(await stepOfAnna(21)).toMatchObject([{ step: 'kept', because: ['content'], deletion_date: null }])
  })

  test('reminds whoever is back after a deletion, and waits for the new date', async () => {
    const { run, sweep, outbox } = await siteWithPolicy(harness)
    // As often as it may.
    for (const day of [0, 6]) await sweep(day, '--quiet')
    const night = async (day: number) => JSON.parse((await sweep(day, '--format', 'json')).stdout)
    const { deletions } = await night(14)
    expect(deletions).toMatchObject({ deleted: 2 })
    expect(await run(14, 'restore', deletions.archive, '--yes', '--quiet')).toMatchObject({ exit: 0 })

    const args = 'purge --since 2020-01-01 --reminded-before 1d --dry-run --format json'
    expect(JSON.parse((await run(15, ...args.split(' '))).stdout)).toMatchObject({
      matched: 1,
      kept: { content: 1 },
    })
    expect(await night(15)).toMatchObject({ reminders: { sent: 2 }, deletions: { deleted: 0 } })
    const texts = (await mailsIn(outbox)).map(({ text }) => text)
    expect(texts.filter((text) => /14 July 2025, 12:00\sUTC/.test(text ?? ''))).toHaveLength(2)
    expect(await night(29 - 1 / 86_400)).toMatchObject({ deletions: { deleted: 0 } })
    expect(await night(29)).toMatchObject({ deletions: { deleted: 2 } })
  })

  test('does not remind anew whom it could not delete', async () => {
    const { site, sweep } = await siteWithPolicy(harness)
    await sweep(0, '--quiet')
    await site.database.run(
      harness.pick({
        sqlite: `create trigger hold before delete on auth_user when old.id = 3
        begin select raise(abort, 'held'); end`,
        postgres: `create function hold() returns trigger language plpgsql as
          $$ begin if old.id = 3 then raise 'held'; end if; return old; end $$;
        create trigger hold before delete on auth_user for each row execute function hold()`,
      }),
    )
    const failed = await sweep(14, '--format', 'json')
    expect(failed.exit).toBe(1)
    expect(JSON.parse(failed.stdout).deletions).toMatchObject({ deleted: 1, failed: [{ id: '3' }] })
    await site.database.run(
      harness.pick({ sqlite: 'drop trigger hold', postgres: 'drop trigger hold on auth_user' }),
    )
    const again = JSON.parse((await sweep(14, '--format', 'json')).stdout)
    expect(again).toMatchObject({ reminders: { sent: 0 }, deletions: { deleted: 1 } })
  })

  test('shows the date that the mail will have, also the second one', async () => {
    const { sweep, run } = await siteWithPolicy(harness)
    await sweep(0, '--quiet')
    const shown = await run(13, 'email', '--since', '2020-01-01', '--preview', 'x81@mail.example')
    expect(shown).toMatchObject({ exit: 0, stderr: '' })
    expect(shown.stdout).toMatch(/29 June 2025, 12:00\sUTC/)
  })

  test('begins anew with an address that has had no mail yet', async () => {
    const { site, sweep, outbox } = await siteWithPolicy(harness)
    const before = JSON.parse((await sweep(0, '--dry-run', '--format', 'json')).stdout).steps
    for (const day of [0, 6]) await sweep(day, '--quiet')
    const { emailAddresses: address } = site.tables
    await site.db
      .update(address)
      .set({ email: 'new@mail.example' })
      .where(eq(address.email, 'x81@mail.example'))
    const lines = (await sweep(12, '--dry-run', '--format', 'ndjson')).stdout.trimEnd().split('\n')
    const steps = lines.map(
      (line) => JSON.parse(line) as { email: string; step: string; deletion_date: unknown },
    )
    expect(steps.find(({ email }) => email === 'new@mail.example')).toMatchObject({
      step: 'remind',
      deletion_date: null,
    })
    expect(steps.filter(({ step }) => step === 'waiting')).toHaveLength(before.remind - 1)
    await sweep(12, '--quiet')
    const texts = (await mailsIn(outbox)).filter((mail) => recipientOf(mail) === 'new@mail.example')
    expect(texts.map(({ text }) => text)).toEqual([expect.stringMatching(/11 July 2025, 12:00\sUTC/)])
  })

  test('says the same before and after', async () => {
    const { site, sweep } = await siteWithPolicy(harness, { ...POLICY, remind_after: '30d' })
    await addUser(site, { username: 'newcomer', dateJoined: '2025-06-01T00:00:00Z' })
    await addUser(site, { username: 'just-joined', dateJoined: '2025-06-14T00:00:00Z' })
    const people = 'primary address unverified, not logged in since 2020-01-01 00:00 UTC (or never)'
    const plan = `3 users to remind, 0 users to delete, of 6 candidates\n${people}\n`
    expect((await sweep(0, '--dry-run')).stdout).toContain(plan)
    expect(await sweep(0)).toMatchObject({
      stderr: `${plan}
Kept (whom two guards keep counts for both)
  1  recent  joined, or was last written to, within the grace period
  1  staff   is staff or superuser

Left alone
  1  new  joined too lately to be reminded
`,
      stdout: `3 users reminded, 0 users deleted, of 6 candidates

Kept (whom two guards keep counts for both)
  1  recent  joined, or was last written to, within the grace period
  1  staff   is staff or superuser

Left alone
  1  new  joined too lately to be reminded
`,
    })
    const { stdout } = await sweep(14)
    expect(stdout).toMatch(/^0 users reminded, 2 users deleted, of 6 candidates\n/)
    expect(stdout).toMatch(/\n\n2 users deleted, of 3 candidates\n\nKept\n {2}1 {2}content /)
  })

  test('names the settings of the policy', async () => {
    const directory = await directoryOfTest()
    const sendmail = join(directory, 'sendmail')
    await writeFile(sendmail, SENDMAIL, { mode: 0o700 })
    const sending = { sendmail, rate: 0, concurrency: 1, max_failures: 1 }
    const { site, sweep } = await siteWithPolicy(harness, POLICY, sending)
    await sweep(0, '--quiet')
    expect((await sweep(1)).stdout).toContain('3  reminded  reminded within policy.remind_again_after\n')
    await sweep(6, '--quiet')
    expect((await sweep(13)).stdout).toContain(
      '3  enough  reminded as often as policy.max_reminders allows\n',
    )
    for (const number of [1, 2]) await addUser(site, { email: `failed${number}@mail.example` })
    const { exit, stderr } = await sweep(13, '--quiet')
    expect({ exit, stderr }).toEqual({
      exit: 1,
      stderr: expect.stringContaining('(mail.max_failures allows more)'),
    })
  })

  test('more than policy.max_delete: says so before, and does nothing', async () => {
    const { site, sweep } = await siteWithPolicy(harness, { ...POLICY, max_delete: 1 })
    const users = await site.db.$count(site.tables.users)
    await sweep(0, '--quiet')
    const shown = await sweep(14, '--dry-run')
    expect(shown).toMatchObject({
      exit: 0,
      stderr: expect.stringMatching(
        /warning: that is more than 1 user; to delete them takes policy\.max_delete: \d\n$/,
      ),
    })
    const refused = await sweep(14)
    expect(refused).toMatchObject({ exit: 3, stdout: '' })
    expect(refused.stderr).toMatch(/then allow it with policy\.max_delete: \d\n$/)
    expect(await site.db.$count(site.tables.users)).toBe(users)
  })

  test('is held to max_delete where the policy says nothing of it', async () => {
    const { max_delete: _, ...policy } = POLICY
    const { site, sweep, cwd } = await siteWithPolicy(harness, policy)
    const users = await site.db.$count(site.tables.users)
    await sweep(0, '--quiet')
    const file = join(cwd, 'usermgmt.config.json')
    const configured = JSON.parse(await readFile(file, 'utf8'))
    await writeFile(file, JSON.stringify({ ...configured, max_delete: 1 }))
    expect(await sweep(14)).toMatchObject({ exit: 3, stdout: '' })
    expect(await site.db.$count(site.tables.users)).toBe(users)
  })

  describe('when mails do not arrive', () => {
    /** Two users are due for deletion; the mails of one night, which fail or bounce as the address says. */
    async function nightOf(addresses: readonly string[]) {
      const directory = await directoryOfTest()
      const sendmail = join(directory, 'sendmail')
      await writeFile(sendmail, SENDMAIL, { mode: 0o700 })
      const { site, sweep } = await siteWithPolicy(harness, POLICY, { sendmail, rate: 0 })
      await sweep(0, '--quiet')
      for (const email of addresses) await addUser(site, { email })
      const users = await site.db.$count(site.tables.users)
      const { exit, stderr } = await sweep(14, '--quiet')
      return { exit, stderr, deleted: users - (await site.db.$count(site.tables.users)) }
    }
    const addresses = (name: string, number: number) =>
      Array.from({ length: number }, (_, index) => `${name}${index}@mail.example`)

    test.each([
      ['bounced', addresses('bounced', 6)],
      ['failed', addresses('failed', 6)],
      ['cut off', addresses('cut', 6)],
      ['one and the other', [...addresses('bounced', 2), ...addresses('failed', 2), ...addresses('cut', 2)]],
    ])('most of them %s: nobody is deleted', async (_, undelivered) => {
      const { exit, stderr, deleted } = await nightOf([...undelivered, ...addresses('arrives', 5)])
      expect({ exit, deleted }).toEqual({ exit: 3, deleted: 0 })
      expect(stderr).toBe(
        'usermgmt: refused to delete anybody: 6 of the 11 reminders of this run failed, bounced or were cut off; see the report and the mail server; the next sweep goes on\n',
      )
    })

    test('all of just enough to tell: nobody is deleted', async () => {
      expect(await nightOf(addresses('bounced', 10))).toMatchObject({
        exit: 3,
        stderr: expect.stringMatching(
          /^usermgmt: refused to delete anybody: 10 of the 10 reminders of this run failed/,
        ),
        deleted: 0,
      })
    })

    test('so many that it stops: nobody is deleted, though most have arrived', async () => {
      const { exit, stderr, deleted } = await nightOf([
        ...addresses('arrives', 25),
        ...addresses('bounced', 25),
      ])
      expect({ exit, deleted }).toEqual({ exit: 1, deleted: 0 })
      expect(stderr).toMatch(/^usermgmt: stopped when \d\d of \d\d mails had failed or bounced;/)
    })

    test.each([
      ['half of them', [...addresses('bounced', 5), ...addresses('arrives', 5)]],
      ['all of too few to tell', addresses('bounced', 9)],
    ])('%s: those who are due are deleted', async (_, mailed) => {
      expect(await nightOf(mailed)).toEqual({ exit: 0, stderr: '', deleted: 2 })
    })
  })

  describe('when the deletion cannot begin: tells of the mails all the same', () => {
    /** Two users are due for deletion, and a third for a reminder, when something comes in the way. */
    async function sweepAfter(
      hinder: (swept: Awaited<ReturnType<typeof siteWithPolicy>>) => Promise<unknown>,
    ) {
      const swept = await siteWithPolicy(harness)
      const { site, sweep } = swept
      await sweep(0, '--quiet')
      await addUser(site, { email: 'third@mail.example' })
      const users = await site.db.$count(site.tables.users)
      await hinder(swept)
      const { exit, stdout, stderr } = await sweep(14, '--quiet', '--format', 'json')
      expect(JSON.parse(stdout)).toMatchObject({ reminders: { sent: 1 }, deletions: null })
      expect(await site.db.$count(site.tables.users)).toBe(users)
      return { exit, stderr }
    }

    test('the archive cannot be written', async () => {
      const { exit, stderr } = await sweepAfter(({ cwd }) => writeFile(join(cwd, 'usermgmt-archive'), ''))
      expect({ exit, stderr }).toEqual({
        exit: 1,
        stderr: expect.stringMatching(/^usermgmt: the archive \S+ cannot be written: /),
      })
    })

    test('a purge is at work', async () => {
      const facts = { command: 'purge', options: {}, actor: 'ann', host: 'web1', version: '1.0.0' }
      const { exit, stderr } = await sweepAfter(({ site }) =>
        LedgerRun.begin(site.db, facts, { lock: 'purge', now: () => new Date() }),
      )
      expect({ exit, stderr }).toEqual({
        exit: 3,
        stderr: expect.stringMatching(/^usermgmt: another purge has been running since /),
      })
    })
  })

  test('--dry-run lists everybody with the step', async () => {
    const { sweep } = await siteWithPolicy(harness)
    const lines = (await sweep(0, '--dry-run', '--format', 'ndjson')).stdout.trimEnd().split('\n')
    const { steps } = JSON.parse((await sweep(0, '--dry-run', '--format', 'json')).stdout)
    const found = lines.map((line) => JSON.parse(line).step)
    expect(found.filter((step) => step === 'remind')).toHaveLength(steps.remind)
    expect(found.filter((step) => step === 'kept')).toHaveLength(steps.kept)
    const text = (await sweep(0, '--dry-run')).stdout
    expect(text).toMatch(/^\d+ users? to remind, 0 users to delete, of \d+ candidates?\n/)
    expect(text).toContain('due for a reminder')
  })

  test('a policy that says nothing about deletion deletes nobody', async () => {
    const { sweep } = await siteWithPolicy(harness, { since: '2020-01-01', remind_again_after: '5d' })
    await sweep(0, '--quiet')
    expect(JSON.parse((await sweep(400, '--format', 'json')).stdout)).toMatchObject({ deletions: null })
  })

  describe('the examples in the help', () => {
    test.each(SWEEP_EXAMPLES)('$command', async ({ command, output }) => {
      const { sweep } = await siteWithPolicy(harness)
      expect((await sweep(0, ...command.split(' ').slice(2))).screen.trimEnd()).toBe(output)
    })
  })

  test('a date before the links expire is warned of', async () => {
    const short = await siteWithPolicy(harness, {
      ...POLICY,
      remind_again_after: '1d',
      delete_after_reminder: '2d',
    })
    expect((await short.sweep(0, '--dry-run')).stderr).toContain(
      'warning: a link may outlive its account: policy.delete_after_reminder (2d) is less than mail.expires (3 days)\n',
    )
    const enough = { ...POLICY, remind_again_after: '1d', delete_after_reminder: '3d' }
    expect((await (await siteWithPolicy(harness, enough)).sweep(0, '--dry-run')).stderr).toBe('')
  })

  test('what would keep the mails from going out is told by a dry run', async () => {
    const { sweep } = await siteWithPolicy(harness, POLICY, {})
    for (const args of [[], ['--format', 'ndjson']]) {
      expect(await sweep(0, '--dry-run', ...args)).toMatchObject({
        exit: 0,
        stderr: expect.stringMatching(/^before mails can be sent: no mail server is named; mail\.smtp_url,/m),
      })
    }
    expect(await sweep(0)).toMatchObject({ exit: 2, stdout: '' })
  })

  test('on a terminal, whom a dry run shows fits into its width', async () => {
    const { cwd } = await siteWithPolicy(harness)
    const { stdout } = await usermgmt(['sweep', '--dry-run', '--no-color'], {
      cwd,
      terminal: { columns: 50 },
    })
    const [, who = ''] = stdout.split('\nWho\n')
    expect(who.split('\n').slice(0, 3)).toEqual([
      '  id  username    email       step        deletion',
      '  ──  ──────────  ──────────  ──────────  ────────',
      '  2   anna        anna@exam…  remind      -',
    ])
  })

  test('who has joined lately cannot be told without date_joined', async () => {
    const { site, sweep } = await siteWithPolicy(harness)
    await site.database.run('alter table auth_user drop column date_joined')
    expect(await sweep(0, '--dry-run')).toMatchObject({
      exit: 1,
      stdout: '',
      stderr:
        'usermgmt: the user table auth_user has no column date_joined: cannot follow policy.remind_after; name the column in the configuration file (columns.date_joined)\n',
    })
  })

  test('without a policy there is nothing to follow', async () => {
    const { sweep } = await siteWithPolicy(harness, {})
    const { exit, stdout, stderr } = await sweep(0)
    expect({ exit, stdout }).toEqual({ exit: 2, stdout: '' })
    expect(stderr).toContain('usermgmt: there is no policy to follow')
  })
})

describeDatabase('postgres', 'a database that writes dates otherwise', (harness) => {
  test.each(['German', 'SQL, DMY'])('%s', async (style) => {
    const { site, run, sweep } = await siteWithPolicy(harness)
    await sweep(0, '--quiet')
    const looks = () =>
      Promise.all([
        sweep(3, '--dry-run', '--format', 'json'),
        sweep(14, '--dry-run', '--format', 'json'),
        run(3, 'email', '--dry-run'),
        run(3, 'history'),
        run(3, 'list', '--since', '2020-01-01', '--format', 'csv'),
      ])
    const before = await looks()
    await site.database.run(
      `alter database ${new URL(site.url).pathname.slice(1)} set datestyle = '${style}'`,
    )
    expect(await looks()).toEqual(before)
    expect(before.map(({ exit }) => exit)).toEqual([0, 0, 0, 0, 0])
    expect(JSON.parse(before[0].stdout).steps).toMatchObject({ new: 0, waiting: expect.any(Number) })
  })
})
