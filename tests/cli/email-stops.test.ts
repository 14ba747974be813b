import { expect, test } from 'vitest'
import { LedgerRun } from '../../src/ledger/run.ts'
import { reminders } from '../support/campaign.ts'
import { describeEachDatabase } from '../support/databases.ts'
import { rowsOf } from '../support/sites.ts'
import { startMailServer } from '../support/smtp.ts'
import { mailingSite } from './mailing.ts'

describeEachDatabase('email stops', (harness) => {
  test('when the mail server cannot be reached, and nobody has used up a reminder', async () => {
    const { email, site } = await mailingSite(harness)
    const ran = await email('--yes --quiet --rate 0 --smtp-url smtp://127.0.0.1:1?tls=off')
    expect(ran).toMatchObject({
      exit: 1,
      stdout: expect.stringContaining('0 users mailed, of 4 candidates'),
      stderr:
        'usermgmt: the mail server 127.0.0.1:1 cannot be reached: it refuses the connection; see the SMTP URL\n',
    })
    expect(await reminders(site)).toEqual([])
    expect(await rowsOf(site.db, 'usermgmt_run')).toMatchObject([{ outcome: 'failed' }])
    expect(await rowsOf(site.db, 'usermgmt_lock')).toEqual([])
  })

  test('and tells a script why', async () => {
    const { email } = await mailingSite(harness)
    const { stdout } = await email('--yes --quiet --format json --smtp-url smtp://127.0.0.1:1?tls=off')
    expect(JSON.parse(stdout).stopped).toEqual({
      reason: 'error',
      message: 'the mail server 127.0.0.1:1 cannot be reached: it refuses the connection',
    })
  })

  test('after too many failures, and says so', async () => {
    const { email } = await mailingSite(harness)
    const server = await startMailServer({ recipient: () => '550 5.1.1 no such user' })
    const { exit, stdout, stderr } = await email(
      `--yes --quiet --max-failures 1 --concurrency 1 --smtp-url smtp://127.0.0.1:${server.port}?tls=off`,
    )
    expect(exit).toBe(1)
    expect(stdout).toMatch(/Not delivered: 2 mails\n {2}user 2: bounced: 550 5\.1\.1 no such user\n/)
    expect(stderr).toMatch(/^usermgmt: stopped when 2 of 2 mails had failed or bounced; see why/)
  })

  test('with 1 when a mail failed, with 0 when one bounced', async () => {
    const { email, run } = await mailingSite(harness)
    const replies = new Map([
      ['anna@example.com', '554 5.6.0 no such content here'],
      ['x81@mail.example', '550 5.1.1 no such user'],
    ])
    const server = await startMailServer({
      recipient: (address) => (address.startsWith('x') ? replies.get(address) : undefined),
      message: (address) => replies.get(address),
    })
    const smtp = `--smtp-url smtp://127.0.0.1:${server.port}?tls=off --rate 0 --yes --quiet --format json`
    const bounced = await email(`--email-domain mail.example ${smtp}`)
    expect({ exit: bounced.exit, ...JSON.parse(bounced.stdout) }).toMatchObject({
      exit: 0,
      sent: 1,
      bounced: 1,
    })
    const [{ run: id = '' } = {}] = JSON.parse((await run('history --format json')).stdout)
    const lines = (await run(`history ${id} --format ndjson`)).stdout.trimEnd().split('\n')
    expect(lines.map((line) => JSON.parse(line))).toEqual(
      expect.arrayContaining([
        expect.objectContaining({
          user: '3',
          status: 'bounced',
          reply: '550 5.1.1 no such user',
          attempts: 1,
        }),
        expect.objectContaining({ user: '4', status: 'sent' }),
      ]),
    )
    const failed = await email(`--user anna ${smtp}`)
    expect(failed).toMatchObject({
      exit: 1,
      stderr: 'usermgmt: 1 mail failed; the report says why\n',
    })
    expect(JSON.parse(failed.stdout).problems).toEqual([
      { id: '2', status: 'failed', reply: '554 5.6.0 no such content here' },
    ])
  })

  test('at Ctrl-C', async () => {
    const { email } = await mailingSite(harness)
    const ran = await email('--yes --quiet --outbox outbox --format json', { signal: AbortSignal.abort() })
    expect(JSON.parse(ran.stdout)).toMatchObject({ sent: 0, stopped: { reason: 'interrupted' } })
    expect(ran).toMatchObject({
      exit: 130,
      stderr: 'usermgmt: interrupted: 0 users mailed; run it again to go on\n',
    })
  })

  test('when another one is at work', async () => {
    const { site, email, outbox } = await mailingSite(harness)
    const facts = { command: 'email', options: {}, actor: 'ann', host: 'web1', version: '1.0.0' }
    await LedgerRun.begin(site.db, facts, { lock: 'campaign', now: () => new Date() })
    const { exit, stderr } = await email('--yes --quiet --outbox outbox')
    expect({ exit, stderr }).toMatchObject({
      exit: 3,
      stderr: expect.stringMatching(/another campaign has been running/),
    })
    expect((await outbox()).size).toBe(0)
  })
})
