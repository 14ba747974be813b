import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { ArchiveWriter } from '../../src/users/archive-writer.ts'
import { purgeInto, putBack } from '../support/archives.ts'
import { NO_GUARDS } from '../support/criteria.ts'
import { describeEachDatabase } from '../support/databases.ts'
import { allRowsOf, createSite, rowsOf } from '../support/sites.ts'
import { addUser } from '../support/users.ts'

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'usermgmt-cleared-'))
})
afterEach(() => rm(directory, { recursive: true }))

const user = 'integer references auth_user (id) deferrable initially deferred'
const PURGE = {
  rules: { setNull: ['art.u', 'art.v', 'loose.u', 'loose.v', 'alone.u'] },
  guards: NO_GUARDS,
  size: 1,
}

type Line = Readonly<Record<string, unknown>>

/** The lines of an archive: the header, batch by batch, and the end. */
async function linesOf(path: string): Promise<Line[]> {
  const text = gunzipSync(await readFile(path)).toString()
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
}

/** Writes them as an archive in which each is a batch. */
async function archiveOf(lines: readonly Line[]): Promise<string> {
  const path = join(directory, 'rewritten.ndjson.gz')
  const writer = await ArchiveWriter.create(path)
  for (const line of lines) {
    const batch = 'end' in line ? writer.endBatch() : writer.batch()
    batch.add(JSON.stringify(line))
    await batch.save()
  }
  await writer.close()
  return path
}

describeEachDatabase('a reference that was set to NULL', (harness) => {
  const cell = (key: string) => harness.pick<string | number>({ sqlite: Number(key), postgres: key })

  async function create() {
    const computed = 'twice integer generated always as (u * 2) stored references pair (id)'
    const site = await createSite(
      harness,
      'django5.2-allauth65',
      `create table pair (id integer primary key);
       create table art (id integer primary key, title text, u ${user}, v ${user}, pair_id integer references pair (id),
         ${computed});
       create table loose (u ${user}, v ${user}, title text);
       create table alone (id integer primary key, u ${user}, title text);`,
    )
    const [first, second] = [await addUser(site), await addUser(site)]
    await site.database.run(`insert into pair values (7), (${2 * Number(first)});
      insert into art (id, title, u, v, pair_id) values (1, 'one', ${first}, null, 7), (2, 'two', ${first}, ${second}, null);
      insert into loose values (${first}, ${second}, 'loose');
      insert into alone values (1, ${first}, 'alone')`)
    return { site, first: cell(first), second: cell(second) }
  }

  test('is archived with what else its row refers to', async () => {
    const { site, first, second } = await create()
    const { path } = await purgeInto(directory, site, PURGE)
    const [header, ...lines] = await linesOf(path)
    const tables = header?.tables as { name: string }[]
    const ofTable = (name: string) =>
      lines
        .filter(({ n }) => typeof n === 'number' && tables[n]?.name === name)
        .map(({ n: _, ...line }) => line)
    const art = [
      { key: { id: cell('1') }, was: { u: first }, beside: { v: null, pair_id: cell('7') } },
      { key: { id: cell('2') }, was: { u: first }, beside: { v: second, pair_id: null } },
      { key: { id: cell('2') }, was: { v: second }, beside: { u: null, pair_id: null } },
    ]
    expect(ofTable('art')).toHaveLength(art.length)
    expect(ofTable('art')).toEqual(expect.arrayContaining(art))
    // Its key is all that stays, and there is nothing else.
    expect(ofTable('loose').map(Object.keys)).toEqual([
      ['key', 'was'],
      ['key', 'was'],
    ])
    expect(ofTable('alone')).toEqual([{ key: { id: cell('1') }, was: { u: first } }])
  })

  test('comes back, also from an archive that holds nothing else of the row', async () => {
    const { site } = await create()
    const before = await allRowsOf(site.db)
    const { path } = await purgeInto(directory, site, PURGE)
    const older = (await linesOf(path)).map(({ beside: _, ...line }) => line)
    expect((await putBack(site, path)).failed).toEqual([])
    expect(await allRowsOf(site.db)).toEqual(before)
    await purgeInto(directory, site, PURGE)
    expect((await putBack(site, await archiveOf(older))).failed).toEqual([])
    expect(await allRowsOf(site.db)).toEqual(before)
  })

  test('comes back again when the site has emptied it since', async () => {
    const { site, first, second } = await create()
    const { path } = await purgeInto(directory, site, PURGE)
    await putBack(site, path)
    await site.database.run(`update art set u = null, title = 'new' where id = 1`)
    expect(await putBack(site, path)).toMatchObject({ relinked: { art: 1 }, failed: [] })
    expect(await rowsOf(site.db, 'art')).toMatchObject([
      { u: String(first), v: null, title: 'new' },
      { u: String(first), v: String(second) },
    ])
  })
})
