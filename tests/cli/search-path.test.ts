import { beforeEach, expect, test } from 'vitest'
import { describeDatabase } from '../support/databases.ts'
import { withDirectory } from '../support/directory.ts'
import { createSite, rowsOf } from '../support/sites.ts'
import { addUser } from '../support/users.ts'
import { archivesIn } from '../support/whole.ts'
import { usermgmt } from './run.ts'

const note = (onDelete = '') =>
  `(id integer primary key, user_id integer references public.auth_user (id) ${onDelete}, body text)`

const PURGE = 'purge --yes --max-delete 100% --archive archive'

let directory: string
withDirectory(beforeEach, (path) => {
  directory = path
})

describeDatabase('postgres', 'two tables of one name, of which the search path chooses', (harness) => {
  /** Each of two users has a note, in the table `note` of another schema. */
  async function twoNotes(columns = note('on delete cascade')) {
    const site = await createSite(harness, 'django5.2-allauth65')
    const [one, two] = [await addUser(site), await addUser(site)]
    await site.database.run(`create schema t1; create schema t2; create table t1.note ${columns};
      create table t2.note ${columns};
      insert into t1.note values (1, ${one}, 'in t1'); insert into t2.note values (2, ${two}, 'in t2')`)
    const notes = async () => [await rowsOf(site.db, 't1.note'), await rowsOf(site.db, 't2.note')]
    const run = (searchPath: string, args: string) =>
      usermgmt(args.split(' '), {
        env: { DATABASE_URL: `${site.url}?options=${encodeURIComponent(`-c search_path=${searchPath}`)}` },
        cwd: directory,
      })
    return { site, notes, run }
  }

  async function purged(purgePath: string, restorePath: string, meanwhile?: string) {
    const { site, notes, run } = await twoNotes()
    const before = await notes()
    expect(await run(purgePath, PURGE)).toMatchObject({ exit: 0 })
    expect(await notes()).toEqual([[], []])
    if (meanwhile) await site.database.run(meanwhile)
    const [archive] = await archivesIn(`${directory}/archive`)
    expect(await run(restorePath, `restore ${archive} --yes`)).toMatchObject({ exit: 0 })
    expect(await notes()).toEqual(before)
  }

  test.each([
    ['public,t1', 'public,t2'],
    ['public,t1', 'public'],
    ['public', 'public,t2'],
  ])('what was deleted with %s goes back to its own table with %s', (purgePath, restorePath) =>
    purged(purgePath, restorePath),
  )

  test('also when another table has come before it since', () =>
    purged('public,t1', 'public,t1', `create table public.note ${note()}`))

  test('rows of a table that is gone go into none of its name', async () => {
    const { site, notes, run } = await twoNotes()
    await run('public,t1', PURGE)
    await site.database.run('drop table t1.note')
    const [archive] = await archivesIn(`${directory}/archive`)
    const { exit, stdout } = await run('public,t2', `restore ${archive} --yes`)
    expect({ exit, stdout }).toEqual({
      exit: 1,
      stdout: expect.stringContaining('t1.note: the table is gone'),
    })
    expect(await rowsOf(site.db, 't2.note')).toHaveLength(1)
    await expect(notes()).rejects.toThrow()
  })

  test('a plan is refused where a name of it is that of another table', async () => {
    const { notes, run } = await twoNotes(note())
    const before = await notes()
    expect(await run('public,t1', 'purge --cascade note --plan-out plan')).toMatchObject({ exit: 0 })
    const refused = await run('public,t2', 'purge --plan plan --yes --max-delete 100%')
    expect(refused.exit).toBe(3)
    expect(refused.stderr).toContain('the plan was made when note was t1.note; now it is t2.note')
    expect(await notes()).toEqual(before)
    expect(await run('public,t1', 'purge --plan plan --yes --max-delete 100%')).toMatchObject({ exit: 0 })
    expect(await notes()).toEqual([[], before[1]])
  })
})
