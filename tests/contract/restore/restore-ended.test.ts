import { beforeEach, expect, test } from 'vitest'
import { purgeInto, putBack } from '../../support/archives.ts'
import { describeDatabase } from '../../support/databases.ts'
import { withDirectory } from '../../support/directory.ts'
import { allRowsOf, createSite } from '../../support/sites.ts'
import { addUser } from '../../support/users.ts'

let directory: string
withDirectory(beforeEach, (path) => {
  directory = path
})

describeDatabase('sqlite', 'a trigger that rolls back what restores', (harness) => {
  test.each([1, 3])('keeps its user out, and a dry run leaves no trace: batches of %i', async (size) => {
    const site = await createSite(harness, 'django5.2-allauth65')
    const users: string[] = []
    for (let i = 0; i < 6; i++) users.push(await addUser(site))
    const { path } = await purgeInto(directory, site, { size })
    await site.database.run(`create trigger no before insert on auth_user when new.id = ${users[4]}
      begin select raise(rollback, 'no'); end`)
    const before = await allRowsOf(site.db)
    const planned = await putBack(site, path, { dryRun: true })
    expect(planned.failed).not.toEqual([])
    expect(await allRowsOf(site.db)).toEqual(before)

    const { restored, failed, stopped } = await putBack(site, path)
    expect({ restored: restored.auth_user, stopped }).toEqual({ restored: 5, stopped: undefined })
    expect(failed).toEqual([
      {
        user: users[4],
        table: '',
        reason: expect.stringMatching(/^could not be put back: a trigger .* refused it$/),
      },
    ])
    expect(await site.db.$count(site.tables.users)).toBe(5)
    expect(await site.db.$count(site.tables.emailAddresses)).toBe(5)
  })
})
