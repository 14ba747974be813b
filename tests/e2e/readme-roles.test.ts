import { describe, expect, test } from 'vitest'
import { exampleSite } from '../cli/example-site.ts'
import { usermgmt } from '../cli/run.ts'
import { describeDatabase } from '../support/databases.ts'
import { blocks } from '../support/readme.ts'
import { allRowsOf, rowsOf, type TestSite } from '../support/sites.ts'

const LEDGER = 'usermgmt_run, usermgmt_deletion, usermgmt_lock'
const ACCOUNTS = 'auth_user, account_emailaddress'

/** Roles belong to the whole server, so the ones of this run have names of their own. */
function own(text: string): string {
  return text.replace(/\busermgmt_(read|purge|one)\b/g, `$&_${process.pid}`)
}

/** Runs the work with roles that the script makes, and drops them; `as` runs a command as one of them. */
async function withRoles(
  site: TestSite,
  names: readonly string[],
  script: string,
  work: (as: (role: string, line: string) => ReturnType<typeof usermgmt>) => Promise<void>,
): Promise<void> {
  const roles = names.map(own)
  await site.database.run(own(script))
  try {
    for (const role of roles) await site.database.run(`ALTER ROLE ${role} PASSWORD 'for-tests-only'`)
    await work((role, line) => {
      const url = new URL(site.url)
      url.username = own(role)
      url.password = 'for-tests-only'
      return usermgmt(line.split(' '), { env: { DATABASE_URL: url.href } })
    })
  } finally {
    await site.database.run(`DROP OWNED BY ${roles}; DROP ROLE ${roles}`)
  }
}

async function siteWithLedger(url: string): Promise<void> {
  expect(await usermgmt(['migrate', '--database', url])).toMatchObject({ exit: 0 })
}

describeDatabase('postgres', 'the roles of the README', (harness) => {
  test('one may look and plan but not delete, the other may purge and mail', async () => {
    const site = await exampleSite(harness)
    const [ofLedger = '', ...before] = blocks('sql').reverse()
    await withRoles(site, ['usermgmt_read', 'usermgmt_purge'], before.reverse().join('\n'), async (as) => {
      const bare = await as('usermgmt_purge', 'purge --since 2020-01-01 --yes --quiet --user 3')
      expect(bare).toMatchObject({ exit: 0, stdout: expect.stringContaining('1 user deleted') })
      expect(await as('usermgmt_read', 'list --since 2020-01-01 --format count')).toMatchObject({ exit: 0 })
      await siteWithLedger(site.url)
      await site.database.run(own(ofLedger))
      const listed = await as('usermgmt_read', 'list --since 2020-01-01 --format count --quiet')
      expect(listed).toMatchObject({ exit: 0, stdout: '3\n' })
      expect(await as('usermgmt_read', 'purge --since 2020-01-01 --dry-run')).toMatchObject({ exit: 0 })
      for (const line of ['history', 'migrate --status', 'migrate --dry-run']) {
        expect(await as('usermgmt_read', line)).toMatchObject({ exit: 0 })
      }
      const refused = await as('usermgmt_read', 'purge --since 2020-01-01 --yes --quiet')
      expect(refused.exit).toBe(1)
      const purged = await as('usermgmt_purge', 'purge --since 2020-01-01 --yes --quiet')
      expect(purged).toMatchObject({ exit: 0, stdout: expect.stringContaining('1 user deleted') })
      const link = '--site-url https://site.example --link login --from forum@site.example'
      const mail = `email --since 2020-01-01 ${link} --outbox outbox --yes --quiet`
      expect((await as('usermgmt_read', mail)).exit).toBe(1)
      const mailed = await as('usermgmt_purge', mail)
      expect(mailed).toMatchObject({ exit: 0, stdout: expect.stringContaining('1 user mailed') })
    })
  })

  describe('a role that has what the table names may', () => {
    /** As `usermgmt_one`, who has these rights. */
    async function runs(rights: readonly string[], line: (site: TestSite) => Promise<string>) {
      const site = await exampleSite(harness)
      await siteWithLedger(site.url)
      const grants = rights.map((right) => `GRANT ${right} TO usermgmt_one;`)
      await withRoles(
        site,
        ['usermgmt_one'],
        ['CREATE ROLE usermgmt_one LOGIN;', 'GRANT USAGE ON SCHEMA public TO usermgmt_one;', ...grants].join(
          '\n',
        ),
        async (as) => {
          expect(await as('usermgmt_one', await line(site))).toMatchObject({ exit: 0, stderr: '' })
        },
      )
      return (await rowsOf(site.db, 'auth_user')).length
    }

    test('purge', async () => {
      const rights = [
        'SELECT ON ALL TABLES IN SCHEMA public',
        `UPDATE, DELETE ON ${ACCOUNTS}`,
        `INSERT, UPDATE, DELETE ON ${LEDGER}`,
      ]
      expect(await runs(rights, async () => 'purge --since 2020-01-01 --yes --quiet')).toBe(4)
    })

    test('history', async () => {
      await runs([`SELECT ON ${ACCOUNTS}, ${LEDGER}`], async () => 'history --format json')
    })

    test('link', async () => {
      const rights = [
        'SELECT ON ALL TABLES IN SCHEMA public',
        `UPDATE ON ${ACCOUNTS}`,
        'INSERT, DELETE ON account_emailconfirmation',
        'USAGE ON SEQUENCE account_emailconfirmation_id_seq',
        'INSERT, UPDATE ON usermgmt_run',
      ]
      await runs(
        rights,
        async () => 'link anna --site-url https://site.example --confirmation database --quiet',
      )
    })

    test('restore', async () => {
      const rights = [`SELECT, INSERT, UPDATE ON ${ACCOUNTS}, usermgmt_run`]
      const users = await runs(rights, async ({ url }) => {
        const purge = `purge --database ${url} --since 2020-01-01 --yes --format json`
        const { archive } = JSON.parse((await usermgmt(purge.split(' '))).stdout)
        return `restore ${archive} --yes --quiet`
      })
      expect(users).toBe(6)
    })

    test('restore, and one right less: nothing is put back', async () => {
      const site = await exampleSite(harness)
      const purge = `purge --database ${site.url} --since 2020-01-01 --yes --format json`
      const { archive } = JSON.parse((await usermgmt(purge.split(' '))).stdout)
      const before = await allRowsOf(site.db)
      const script = `CREATE ROLE usermgmt_one LOGIN; GRANT USAGE ON SCHEMA public TO usermgmt_one;
        GRANT SELECT ON ${ACCOUNTS} TO usermgmt_one; GRANT INSERT ON auth_user TO usermgmt_one;`
      await withRoles(site, ['usermgmt_one'], script, async (as) => {
        for (const way of ['--dry-run', '--yes', '--yes --user 3']) {
          expect(await as('usermgmt_one', `restore ${archive} ${way}`)).toMatchObject({
            exit: 1,
            stdout: '',
            stderr: expect.stringMatching(
              /^usermgmt: permission denied: INSERT on account_emailaddress; .* GRANT /,
            ),
          })
        }
      })
      expect(await allRowsOf(site.db)).toEqual(before)
    })

    test('restore one user, without the rights that another one takes', async () => {
      const site = await exampleSite(harness)
      await site.database.run(`create table note (id integer primary key, user_id integer references auth_user (id));
        create index note_user on note (user_id); insert into note values (1, 3)`)
      const purge = `purge --database ${site.url} --since 2020-01-01 --yes --cascade note --format json`
      const { archive } = JSON.parse((await usermgmt(purge.split(' '))).stdout)
      const script = `CREATE ROLE usermgmt_one LOGIN; GRANT USAGE ON SCHEMA public TO usermgmt_one;
        GRANT SELECT ON note TO usermgmt_one; GRANT SELECT, INSERT ON ${ACCOUNTS} TO usermgmt_one;`
      await withRoles(site, ['usermgmt_one'], script, async (as) => {
        const denied = 'usermgmt: permission denied: INSERT on note; '
        const refused = await as('usermgmt_one', `restore ${archive} --yes --user 3`)
        expect(refused).toMatchObject({ exit: 1, stderr: expect.stringContaining(denied) })
        expect((await as('usermgmt_one', `restore ${archive} --yes --user 4`)).exit).toBe(0)
      })
    })

    test('create-user', async () => {
      const rights = [
        'SELECT ON ALL TABLES IN SCHEMA public',
        `INSERT ON ${ACCOUNTS}`,
        'USAGE ON SEQUENCE auth_user_id_seq, account_emailaddress_id_seq',
        'INSERT, UPDATE ON usermgmt_run',
      ]
      const line = 'create-user gus --email gus@example.com --no-password --quiet'
      expect(await runs(rights, async () => line)).toBe(7)
    })
  })
})
