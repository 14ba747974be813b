import { beforeEach, expect, test } from 'vitest'
import { planPurge } from '../../src/users/purge/plan.ts'
import { purgeInto, putBack } from '../support/archives.ts'
import { criteria } from '../support/criteria.ts'
import { describeEachDatabase, type Harness } from '../support/databases.ts'
import { withDirectory } from '../support/directory.ts'
import { allRowsOf, createSite, insert, rowsOf, siteIn } from '../support/sites.ts'
import { addUser } from '../support/users.ts'

let directory: string
withDirectory(beforeEach, (path) => {
  directory = path
})

/** As Django makes it with `db_constraint=False`: an index, and no foreign key. */
const INVOICE = `create table shop_invoice (id {key}, user_id bigint, note text);
  create index shop_invoice_user_id on shop_invoice (user_id);`
const NAMED = { references: ['shop_invoice.user_id'] }

/** A customer with an invoice, and somebody without; `declared`: with what the configuration file may name. */
async function siteWithInvoice(harness: Harness) {
  const site = await createSite(harness, 'django5.2-allauth65', INVOICE)
  const customer = await addUser(site, { username: 'customer' })
  await addUser(site, { username: 'bot' })
  await insert(site, 'shop_invoice', { user_id: customer, note: 'unpaid' })
  return { site, customer, declared: { ...site, ...(await siteIn(site.database, NAMED)) } }
}

async function usernames(site: Parameters<typeof rowsOf>[0]) {
  return (await rowsOf(site, 'auth_user')).map((row) => row.username)
}

describeEachDatabase('a reference without a foreign key', (harness) => {
  test('is told by the plan, as long as nobody has named it', async () => {
    const { site, declared } = await siteWithInvoice(harness)
    expect(await planPurge(site, criteria())).toMatchObject({
      toDelete: 2,
      looseReferences: ['shop_invoice.user_id'],
    })
    expect(await planPurge(declared, criteria())).toMatchObject({ toDelete: 1, looseReferences: [] })
    await site.database.run('delete from shop_invoice')
    expect(await planPurge(site, criteria())).toMatchObject({ looseReferences: [] })
  })

  test.each([
    ['a foreign key', 'create table note (id {key}, user_id integer references auth_user (id), n integer)'],
    ['another type', 'create table note (id {key}, user_id text, n integer)'],
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
    const named = await siteIn(site.database, { references: ['note.member_id'] })
    expect(await planPurge(named, criteria())).toMatchObject({ looseReferences: [] })
  })

  test('that is named keeps its user', async () => {
    const { declared } = await siteWithInvoice(harness)
    const { report } = await purgeInto(directory, declared)
    expect(report).toMatchObject({ deleted: 1, kept: { content: 1 } })
    expect(await usernames(declared.db)).toEqual(['customer'])
  })

  test.each([
    ['cascade', { cascade: ['shop_invoice'] }, []],
    ['set-null', { setNull: ['shop_invoice.user_id'] }, [null]],
  ])('that is named follows rules (%s), and comes back', async (_, rules, left) => {
    const { declared } = await siteWithInvoice(harness)
    const before = await allRowsOf(declared.db)
    const { path, report } = await purgeInto(directory, declared, { rules })
    expect(report).toMatchObject({ deleted: 2, failed: [] })
    expect((await rowsOf(declared.db, 'shop_invoice')).map((row) => row.user_id)).toEqual(left)
    expect(await putBack(declared, path)).toMatchObject({ failed: [] })
    expect(await allRowsOf(declared.db)).toEqual(before)
  })

  test.each([
    ['shop_invoic.user_id', 'there is no table shop_invoic (did you mean shop_invoice?)'],
    ['shop_invoice.member_id', 'the table shop_invoice has no column member_id'],
    ['shop_invoice.note', 'shop_invoice.note is of type text, and the key of auth_user of type'],
  ])('%s is refused', async (name, message) => {
    const { site } = await siteWithInvoice(harness)
    await expect(siteIn(site.database, { references: [name] })).rejects.toMatchObject({
      kind: 'invalid',
      message: expect.stringContaining(message),
    })
  })

  test('one that has a foreign key needs no name', async () => {
    const { site } = await siteWithInvoice(harness)
    const { shape } = await siteIn(site.database, { references: ['account_emailaddress.user_id'] })
    expect(shape.catalog.foreignKeys).toEqual(site.shape.catalog.foreignKeys)
  })
})
