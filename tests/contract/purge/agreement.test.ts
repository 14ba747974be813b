import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Criteria, GuardName } from '../../../src/users/criteria.ts'
import { listUsers, tally } from '../../../src/users/list.ts'
import type { ListedUser } from '../../../src/users/list-fields.ts'
import { planPurge } from '../../../src/users/purge/plan.ts'
import { purge } from '../../../src/users/purge/purge.ts'
import { CUTOFF, criteria } from '../../support/criteria.ts'
import { describeEachDatabase } from '../../support/databases.ts'
import { createSite, insert, rowsOf, type TestSite } from '../../support/sites.ts'
import { addUser } from '../../support/users.ts'

const GRACE_STARTS = '2026-06-01T00:00:00Z'

const POST = `create table blog_post (id {key}, author_id integer references auth_user (id),
  editor_id integer references auth_user (id));
  create index blog_post_author on blog_post (author_id);`

const person = fc.record({
  lastLogin: fc.constantFrom(null, '2019-01-01T00:00:00Z', CUTOFF, '2020-01-01T00:00:00.000001Z'),
  dateJoined: fc.constantFrom('2018-01-01T00:00:00Z', GRACE_STARTS, '2026-06-01T00:00:00.000001Z'),
  isStaff: fc.boolean(),
  isSuperuser: fc.boolean(),
  isActive: fc.boolean(),
  verified: fc.array(fc.boolean(), { maxLength: 3 }),
  social: fc.boolean(),
  sessions: fc.array(fc.constantFrom('2019-01-01T00:00:00Z', CUTOFF, '2020-01-01T00:00:00.000001Z'), {
    maxLength: 2,
  }),
  posts: fc.nat(2),
  edits: fc.nat(1),
})
type Person = typeof person extends fc.Arbitrary<infer T> ? T : never

/** The texts compare rightly once nothing follows the fraction. */
function isAfter(instant: string, other: string): boolean {
  return instant.replace('Z', '') > other.replace('Z', '')
}

/** What the design says of one person, in plain words: not selected, or selected and kept by these guards. */
function expected(who: Person): GuardName[] | undefined {
  const [primary] = who.verified
  if (primary !== false || (who.lastLogin !== null && isAfter(who.lastLogin, CUTOFF))) return undefined
  const reasons: [GuardName, boolean][] = [
    ['recent', isAfter(who.dateJoined, GRACE_STARTS)],
    ['seen', who.sessions.some((lastSeen) => isAfter(lastSeen, CUTOFF))],
    ['staff', who.isStaff || who.isSuperuser],
    ['verified-address', who.verified.includes(true)],
    ['social', who.social],
    ['deactivated', !who.isActive],
    ['content', who.posts > 0],
  ]
  return reasons.filter(([, holds]) => holds).map(([guard]) => guard)
}

async function addPerson(site: TestSite, who: Person, number: number): Promise<string> {
  const { verified, social, sessions, posts, edits, ...user } = who
  const addresses = verified.map((each, i) => ({
    email: `a${i}@n${number}.example`,
    verified: each,
    primary: i === 0,
  }))
  const id = await addUser(site, { ...user, addresses })
  if (social) await insert(site, 'socialaccount_socialaccount', { user_id: id, provider: 'x', uid: id })
  for (const lastSeen of sessions)
    await insert(site, 'usersessions_usersession', { user_id: id, last_seen_at: lastSeen })
  for (let i = 0; i < posts; i++) await insert(site, 'blog_post', { author_id: id, editor_id: null })
  for (let i = 0; i < edits; i++) await insert(site, 'blog_post', { author_id: null, editor_id: id })
  return id
}

async function listing(site: TestSite, chosen: Criteria): Promise<ListedUser[]> {
  const users: ListedUser[] = []
  for await (const user of listUsers(site, { criteria: chosen, fields: ['id', 'kept_because'], show: 'all' }))
    users.push(user)
  return users
}

describeEachDatabase('agreement', (harness) => {
  test('counting, listing, planning and deleting say the same of any site', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(person, { maxLength: 12 }),
        fc.integer({ min: 1, max: 5 }),
        async (people, size) => {
          const site = await createSite(harness, 'django5.2-allauth65', POST)
          const ids: string[] = []
          for (const [number, who] of people.entries()) ids.push(await addPerson(site, who, number))
          const chosen = criteria({
            guards: { recentAfter: GRACE_STARTS },
            rules: { setNull: ['blog_post.editor_id'] },
          })
          const wanted = people.flatMap((who, i) => {
            const guards = expected(who)
            return guards ? [{ id: ids[i] ?? '', guards, edits: who.edits }] : []
          })

          const listed = await listing(site, chosen)
          expect(listed.map((user) => [user.id, [...(user.kept_because ?? [])].sort()])).toEqual(
            wanted.map(({ id, guards }) => [id, [...guards].sort()]),
          )
          const plan = await planPurge(site, chosen, { batchSize: size })
          const counted = await tally(site, chosen)
          const gone = wanted.filter(({ guards }) => guards.length === 0)
          expect(counted).toEqual({ matched: wanted.length, deletable: gone.length, kept: plan.kept })
          expect(plan.toDelete).toBe(gone.length)

          const report = await purge(site, chosen, plan)
          expect(report.tables).toEqual(plan.tables)
          expect(report.nulled).toEqual(plan.nulled)
          expect(Object.values(plan.nulled)[0] ?? 0).toBe(gone.reduce((sum, { edits }) => sum + edits, 0))
          const left = (await rowsOf(site.db, 'auth_user')).map((row) => row.id)
          expect(left).toEqual(ids.filter((id) => !gone.some((user) => user.id === id)))
          await site.database.close()
        },
      ),
      { numRuns: 25 },
    )
  })
})
