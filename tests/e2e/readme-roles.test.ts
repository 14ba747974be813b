import { expect, test } from 'vitest'
import { exampleSite } from '../cli/example-site.ts'
import { usermgmt } from '../cli/run.ts'
import { describeDatabase } from '../support/databases.ts'
import { blocks } from '../support/readme.ts'

describeDatabase('postgres', 'the roles of the README', (harness) => {
  test('one may look and plan but not delete, the other may purge and mail', async () => {
    const site = await exampleSite(harness)
    expect(await usermgmt(['migrate', '--database', site.url])).toMatchObject({ exit: 0 })
    // Roles belong to the whole server, so the ones of this run have names of their own.
    const own = (text: string) => text.replace(/\busermgmt_(read|purge)\b/g, `$&_${process.pid}`)
    const roles = ['usermgmt_read', 'usermgmt_purge'].map(own)
    const as = (role: string, line: string) => {
      const url = new URL(site.url)
      url.username = own(role)
      url.password = 'for-tests-only'
      return usermgmt(line.split(' '), { env: { DATABASE_URL: url.href } })
    }
    await site.database.run(own(blocks('sql').join('\n')))
    try {
      for (const role of roles) await site.database.run(`ALTER ROLE ${role} PASSWORD 'for-tests-only'`)
      const listed = await as('usermgmt_read', 'list --since 2020-01-01 --format count --quiet')
      expect(listed).toMatchObject({ exit: 0, stdout: '4\n' })
      expect(await as('usermgmt_read', 'purge --since 2020-01-01 --dry-run')).toMatchObject({ exit: 0 })
      const refused = await as('usermgmt_read', 'purge --since 2020-01-01 --yes --quiet')
      expect(refused.exit).toBe(1)
      const purged = await as('usermgmt_purge', 'purge --since 2020-01-01 --yes --quiet')
      expect(purged).toMatchObject({ exit: 0, stdout: expect.stringContaining('2 users deleted') })
      const link = '--site-url https://site.example --link login --from forum@site.example'
      const mail = `email --since 2020-01-01 ${link} --outbox outbox --yes --quiet`
      expect((await as('usermgmt_read', mail)).exit).toBe(1)
      const mailed = await as('usermgmt_purge', mail)
      expect(mailed).toMatchObject({ exit: 0, stdout: expect.stringContaining('1 user mailed') })
    } finally {
      await site.database.run(`DROP OWNED BY ${roles}; DROP ROLE ${roles}`)
    }
  })
})
