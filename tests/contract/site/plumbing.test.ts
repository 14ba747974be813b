import { expect, test } from 'vitest'
import { dependentsOf } from '../../../src/site/dependents.ts'
import { planPurge } from '../../../src/users/purge/plan.ts'
import { criteria } from '../../support/criteria.ts'
import { describeDatabase, describeEachDatabase } from '../../support/databases.ts'
import { purgeAsPlanned } from '../../support/purge-as-planned.ts'
import { createSite, insert, REAL_SITES, rowsOf, siteIn } from '../../support/sites.ts'
import { addUser } from '../../support/users.ts'

const GROUPS = `
create table auth_group (id {key}, name varchar(150) not null);
create table forum_group (id {key}, name varchar(150) not null);`

describeEachDatabase('account plumbing', (harness) => {
  test('addresses are plumbing by whatever name the site calls their table', async () => {
    const { database } = await createSite(harness, 'django5.2-allauth65')
    await database.run('alter table account_emailaddress rename to members_address')
    const site = await siteIn(database, { emailAddresses: 'members_address' })
    await addUser(site)
    const { plan } = await purgeAsPlanned(site)
    expect(plan).toMatchObject({ toDelete: 1, tables: { auth_user: 1, members_address: 1 } })
  })

  test.each([
    ['of another kind', 'group_id integer not null references forum_group (id)'],
    ['with a role', 'group_id integer references auth_group (id), role varchar(9)'],
    ['without a foreign key to groups', 'group_id integer'],
  ])('groups %s keep their members', async (_what, group) => {
    const site = await createSite(
      harness,
      'custom-bare',
      `${GROUPS} create table login_groups (id {key}, user_id integer references login (id), ${group});`,
    )
    const forum = await insert(site, 'forum_group', { name: 'moderators' })
    await insert(site, 'auth_group', { name: 'editors', id: forum })
    await insert(site, 'login_groups', { user_id: await addUser(site), group_id: forum })
    const { plan } = await purgeAsPlanned(site)
    expect(plan).toMatchObject({ toDelete: 0, kept: { content: 1 } })
  })

  test('a group stays with its member when whoever invited them would go', async () => {
    const site = await createSite(
      harness,
      'custom-bare',
      `${GROUPS} create table login_groups (id {key}, user_id integer references login (id),
         group_id integer references auth_group (id), invited_by_id integer references login (id));`,
    )
    const member = await addUser(site, { lastLogin: '2024-01-01T00:00:00Z' })
    await insert(site, 'login_groups', { user_id: member, invited_by_id: await addUser(site) })
    const { plan } = await purgeAsPlanned(site)
    expect(plan).toMatchObject({ toDelete: 0, kept: { content: 1 } })
    expect(await rowsOf(site.db, 'login_groups')).toMatchObject([{ user_id: member }])
  })

  test("Django's own groups go with the user, whatever the column is called", async () => {
    const site = await createSite(
      harness,
      'custom-bare',
      `${GROUPS} create table login_groups (id {key}, member_id integer not null references login (id),
         group_id integer not null references auth_group (id));`,
    )
    const group = await insert(site, 'auth_group', { name: 'editors' })
    await insert(site, 'login_groups', { member_id: await addUser(site), group_id: group })
    const { plan } = await purgeAsPlanned(site)
    expect(plan).toMatchObject({ toDelete: 1, tables: { login_groups: 1 } })
  })

  test.each(REAL_SITES)('groups and permissions of users are plumbing (%s)', async (name) => {
    const { shape } = await createSite(harness, name)
    const links = [`${shape.users.name}_groups`, `${shape.users.name}_user_permissions`]
    const edges = dependentsOf(shape, []).edges.filter(({ table }) => links.includes(table.name))
    expect(edges.map(({ table, rule }) => [table.name, rule]).sort()).toEqual(
      links.map((link) => [link, 'delete']),
    )
  })

  test("allauth's addresses keep their users where others were named: no guard reads them", async () => {
    const { database } = await createSite(
      harness,
      'custom-bare',
      `create table mail (id {key}, email varchar(254) not null, verified {bool} not null, "primary" {bool} not null,
         user_id integer not null references login (id));`,
    )
    const site = await siteIn(database, { emailAddresses: 'mail' })
    const user = await addUser(site)
    await addUser(site)
    await insert(site, 'account_emailaddress', { user_id: user, email: 'a@example.org', verified: true })
    const { plan } = await purgeAsPlanned(site, { cascade: ['mail'] })
    expect(plan).toMatchObject({ toDelete: 1, kept: { content: 1 } })
  })

  test('a social account of python-social-auth keeps its user until a rule says otherwise', async () => {
    const site = await createSite(
      harness,
      'django5.2-allauth65',
      `create table social_auth_usersocialauth (id {key}, provider varchar(32) not null, uid varchar(255) not null,
         user_id integer not null references auth_user (id) deferrable initially deferred);`,
    )
    const user_id = await addUser(site)
    await insert(site, 'social_auth_usersocialauth', { user_id, provider: 'google-oauth2', uid: '1' })
    expect((await purgeAsPlanned(site)).plan).toMatchObject({ toDelete: 0, kept: { content: 1 } })
    const { plan } = await purgeAsPlanned(site, { cascade: ['social_auth_usersocialauth'] })
    expect(plan).toMatchObject({ toDelete: 1, tables: { social_auth_usersocialauth: 1 } })
  })
})

describeDatabase('postgres', 'tables of allauth in another schema', (harness) => {
  const ADDRESSES = 'tenant.account_emailaddress'
  const ACCOUNTS = 'tenant.socialaccount_socialaccount'
  const TENANT = `create schema tenant;
    create table ${ADDRESSES} (like account_emailaddress including all,
      foreign key (user_id) references auth_user (id));
    create table ${ACCOUNTS} (like socialaccount_socialaccount including all,
      foreign key (user_id) references auth_user (id));`

  test('keep their users, because no guard reads them', async () => {
    const site = await createSite(harness, 'django5.2-allauth65', TENANT)
    const [verified, social] = [await addUser(site), await addUser(site)]
    await addUser(site)
    await insert(site, ADDRESSES, { user_id: verified, email: 'a@example.org', verified: true })
    await insert(site, ACCOUNTS, { user_id: social, provider: 'google', uid: '1' })
    const { plan } = await purgeAsPlanned(site)
    expect(plan).toMatchObject({ toDelete: 1, kept: { content: 2 }, tables: { account_emailaddress: 1 } })
    expect((await rowsOf(site.db, 'auth_user')).map((row) => row.id)).toEqual([verified, social])
    expect((await purgeAsPlanned(site, { cascade: [ADDRESSES, ACCOUNTS] })).plan).toMatchObject({
      toDelete: 2,
      tables: { [ADDRESSES]: 1, [ACCOUNTS]: 1 },
    })
  })

  test('go with their users where it is them that the guards read', async () => {
    const { database } = await createSite(harness, 'django5.2-allauth65', TENANT)
    const site = await siteIn(database, { emailAddresses: ADDRESSES })
    const [social, kept] = [await addUser(site), await addUser(site)]
    await insert(site, ACCOUNTS, { user_id: social, provider: 'google', uid: '1' })
    await insert(site, 'account_emailaddress', { user_id: kept, email: 'a@example.org', verified: true })
    const all = criteria({ guards: { include: ['social'] } })
    expect(await planPurge(site, all)).toMatchObject({
      toDelete: 1,
      kept: { content: 1 },
      tables: { auth_user: 1, [ADDRESSES]: 1, [ACCOUNTS]: 1 },
    })
  })
})
