import { expect, test } from 'vitest'
import { linksFor } from '../../src/cli/mail-writing.ts'
import { reminders, verify } from '../support/campaign.ts'
import { describeEachDatabase } from '../support/databases.ts'
import { rowsOf } from '../support/sites.ts'
import { addUser } from '../support/users.ts'
import { mailingSite } from './mailing.ts'

describeEachDatabase('link', (harness) => {
  test('prints one link, and remembers it when it has a row', async () => {
    const { site, run } = await mailingSite(harness)
    const ran = await run([
      'link',
      '3',
      '--site-url',
      'https://site.example',
      '--confirmation',
      'database',
      '--quiet',
    ])
    const [row] = await rowsOf(site.db, 'account_emailconfirmation')
    expect(ran).toMatchObject({
      exit: 0,
      stdout: `https://site.example/accounts/confirm-email/${row?.key}/\n`,
      stderr: '',
    })
    expect(await rowsOf(site.db, 'usermgmt_run')).toMatchObject([{ command: 'link', outcome: 'done' }])
    expect(await reminders(site)).toEqual([])
  })

  test.each([
    ['nobody', 'this user does not exist; nobody has the id, username or address "nobody"'],
    [
      'ben',
      'the user has no unverified primary address; a link verifies no other: see the user in the admin of the site',
    ],
    [
      'dora',
      'another user has verified the address: here it can never be verified; whoever owns it can log in to the other account',
    ],
    [
      'none',
      'the primary address of the user is none that a mail can go to; set it right in the admin of the site',
    ],
  ])('prints none for %s', async (user, words) => {
    const { site, run } = await mailingSite(harness)
    await addUser(site, { username: 'none', email: '' })
    await addUser(site, { username: 'dora', email: 'dora@example.com' })
    await addUser(site, {
      username: 'other',
      email: 'other@example.com',
      addresses: [{ email: 'DORA@example.com' }],
    })
    await verify(site, 'DORA@example.com')
    const ran = await run(`link ${user} --site-url https://site.example --secret-key-file secret-key.txt`)
    expect(ran).toEqual({ exit: 1, stdout: '', stderr: `usermgmt: ${words}\n`, screen: expect.anything() })
  })

  test('is never signed with nothing', async () => {
    const { site } = await mailingSite(harness)
    const siteUrl = new URL('https://site.example')
    for (const secret of [undefined, '']) {
      await expect(linksFor(site, { siteUrl, secret })).rejects.toThrow('there is no secret')
    }
  })
})
