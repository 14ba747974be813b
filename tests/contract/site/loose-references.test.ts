import { beforeEach, describe, expect, test } from 'vitest'
import { planPurge } from '../../../src/users/purge/plan.ts'
import { purgeInto } from '../../support/archives.ts'
import { criteria } from '../../support/criteria.ts'
import { describeDatabase, describeEachDatabase, type Harness } from '../../support/databases.ts'
import { withDirectory } from '../../support/directory.ts'
import { createSite, insert, rowsOf, siteIn } from '../../support/sites.ts'
import { addUser } from '../../support/users.ts'

let directory: string
withDirectory(beforeEach, (path) => {
  directory = path
})

/** As Django makes it with `db_constraint=False`: an index, and no foreign key. */
const INVOICE = `create table shop_invoice (id {key}, user_id bigint, note text);
  create index shop_invoice_user_id on shop_invoice (user_id);`

function declaring(...references: string[]) {
  return criteria({ guards: { references } })
}

/** A customer with an invoice, somebody without, and an invoice of nobody. */
async function siteWithInvoice(harness: Harness) {
  const site = await createSite(harness, 'django5.2-allauth65', INVOICE)
  const customer = await addUser(site, { username: 'customer' })
  await addUser(site, { username: 'bot' })
  await insert(site, 'shop_invoice', { user_id: customer, note: 'unpaid' })
  await insert(site, 'shop_invoice', { user_id: '99999999999999', note: 'of nobody' })
  return site
}

describeEachDatabase('a reference without a foreign key', (harness) => {
  test('is told by the plan, as long as nobody has named it', async () => {
    const site = await siteWithInvoice(harness)
    expect(await planPurge(site, criteria())).toMatchObject({
      toDelete: 2,
      looseReferences: ['shop_invoice.user_id'],
    })
    const declared = await planPurge(site, declaring('shop_invoice.user_id', 'shop_invoice.user_id'))
    expect(declared).toMatchObject({
      toDelete: 1,
      looseReferences: [],
      keeping: [
        {
          edge: 'shop_invoice.user_id',
          users: 1,
          column: 'shop_invoice.user_id',
          remedies: ['undeclare'],
        },
      ],
    })
    await site.database.run('delete from shop_invoice')
    expect(await planPurge(site, criteria())).toMatchObject({ looseReferences: [] })
  })

  test.each([
    ['a foreign key', 'create table note (id {key}, user_id integer references auth_user (id), n integer)'],
    ['text', 'create table note (id {key}, user_id text, n integer)'],
    ['no integer', 'create table note (id {key}, user_id date, n integer)'],
    ['another name', 'create table note (id {key}, username_id integer, n integer)'],
  ])('%s looks like none', async (_, ddl) => {
    const site = await createSite(harness, 'django5.2-allauth65', `${ddl};`)
    await insert(site, 'note', { n: 1 })
    expect(await planPurge(site, criteria())).toMatchObject({ looseReferences: [] })
  })

  test('is called after the user model, too', async () => {
    const notes = 'create table note (id {key}, member_id bigint, n integer);'
    const site = await createSite(harness, 'custom-member', notes)
    await insert(site, 'note', { member_id: 5 })
    expect(await planPurge(site, criteria())).toMatchObject({ looseReferences: ['note.member_id'] })
    expect(await planPurge(site, declaring('note.member_id'))).toMatchObject({ looseReferences: [] })
  })

  test('that is named keeps its user, also one who comes by a row after the plan', async () => {
    const site = await siteWithInvoice(harness)
    const late = await addUser(site, { username: 'late' })
    const other = await site.database.connect()
    const { report } = await purgeInto(directory, site, {
      guards: { references: ['shop_invoice.user_id'] },
      meanwhile: () => other.run(`insert into shop_invoice (user_id) values (${late})`),
    })
    expect(report).toMatchObject({ deleted: 1, changed: 1, failed: [], kept: { content: 2 } })
    expect((await rowsOf(site.db, 'auth_user')).map((row) => row.username)).toEqual(['customer', 'late'])
  })

  test('is one of the user table, and the own row keeps nobody', async () => {
    const site = await createSite(
      harness,
      'django5.2-allauth65',
      'alter table auth_user add column referrer_id integer;',
    )
    const a = await addUser(site)
    await addUser(site)
    await site.database.run(`update auth_user set referrer_id = ${a}`)
    const { report } = await purgeInto(directory, site, {
      guards: { references: ['auth_user.referrer_id'] },
    })
    expect(report).toMatchObject({ deleted: 1, failed: [] })
    expect((await rowsOf(site.db, 'auth_user')).map((row) => String(row.id))).toEqual([a])
  })

  test('counts beside a foreign key to another table', async () => {
    const site = await createSite(
      harness,
      'django5.2-allauth65',
      'create table device (id {key}, user_id integer references auth_group (id));',
    )
    const user = await addUser(site)
    await site.database.run(`insert into auth_group (id, name) values (${user}, 'a group')`)
    await insert(site, 'device', { user_id: user })
    expect(await planPurge(site, declaring('device.user_id'))).toMatchObject({ toDelete: 0 })
  })

  test('keeps, whatever the rule of a foreign key says', async () => {
    const site = await createSite(
      harness,
      'django5.2-allauth65',
      'create table note (id {key}, author_id integer references auth_user (id) on delete cascade);',
    )
    await insert(site, 'note', { author_id: await addUser(site) })
    expect(await planPurge(site, criteria())).toMatchObject({ toDelete: 1 })
    const plan = await planPurge(site, declaring('note.author_id'))
    expect(plan).toMatchObject({ toDelete: 0, keeping: [{ edge: 'note.author_id' }] })
    const kept = criteria({ guards: { references: ['note.author_id'] }, rules: { keep: ['note'] } })
    expect((await planPurge(site, kept)).keeping).toHaveLength(1)
  })

  test('keeps beside a foreign key to the users that keeps as well', async () => {
    const site = await createSite(
      harness,
      'django5.2-allauth65',
      'create table note (id {key}, author_id integer references auth_user (id), reviewer_id integer);',
    )
    await insert(site, 'note', { reviewer_id: await addUser(site) })
    expect(await planPurge(site, declaring('note.reviewer_id'))).toMatchObject({ toDelete: 0 })
  })

  test('is told when it lacks an index', async () => {
    const site = await siteWithInvoice(harness)
    await site.database.run('drop index shop_invoice_user_id')
    const unindexed = await siteIn(site.database)
    expect((await planPurge(unindexed, criteria())).missingIndexes).toEqual([])
    const { missingIndexes, toDelete } = await planPurge(unindexed, declaring('shop_invoice.user_id'))
    expect(missingIndexes).toMatchObject([{ edge: 'shop_invoice.user_id' }])
    expect(missingIndexes).not.toHaveProperty('0.seconds', expect.any(Number))
    expect(toDelete).toBe(1)
  })

  describe('is refused', () => {
    test.each([
      ['shop_invoic.user_id', 'references: there is no table shop_invoic (did you mean shop_invoice?)'],
      ['shop_invoice.member_id', 'references: the table shop_invoice has no column member_id'],
      ['shop_invoice.note', 'shop_invoice.note is of type text, and the key of auth_user of type'],
    ])('as %s', async (name, message) => {
      const site = await siteWithInvoice(harness)
      await expect(planPurge(site, declaring(name))).rejects.toMatchObject({
        kind: 'invalid',
        message: expect.stringContaining(message),
      })
    })

    test('where it compares in another way than the key', async () => {
      const site = await createSite(
        harness,
        'custom-handle',
        `create table note (id {key}, person_id varchar(40) collate ${harness.pick({ sqlite: 'nocase', postgres: '"C"' })});`,
      )
      await expect(planPurge(site, declaring('note.person_id'))).rejects.toMatchObject({ kind: 'invalid' })
    })
  })
})

describeDatabase('postgres', 'a table that looks like one', (harness) => {
  test('but compares without case is none', async () => {
    const site = await createSite(
      harness,
      'custom-handle',
      'create extension citext; create table note (id {key}, person_id citext);',
    )
    await expect(planPurge(site, declaring('note.person_id'))).rejects.toMatchObject({ kind: 'invalid' })
  })

  test('and may not be read stops no plan', async () => {
    const site = await siteWithInvoice(harness)
    const role = `usermgmt_looks_${process.pid}`
    await site.database.run(`create role ${role} login password 'for-tests-only';
      grant select on all tables in schema public to ${role}; revoke select on shop_invoice from ${role}`)
    try {
      const url = new URL(site.url)
      url.username = role
      url.password = 'for-tests-only'
      const db = await site.database.open({}, url.href)
      expect(await planPurge({ ...site, db }, criteria())).toMatchObject({ toDelete: 2, looseReferences: [] })
    } finally {
      await site.database.run(`drop owned by ${role}; drop role ${role}`)
    }
  })
})
