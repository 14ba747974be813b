import { setTimeout as pause } from 'node:timers/promises'
import { expect, test } from 'vitest'
import type { Db } from '../../../src/db/port.ts'
import { type PurgePlan, planPurge } from '../../../src/users/purge/plan.ts'
import { type PurgeOptions, purge } from '../../../src/users/purge/purge.ts'
import { criteria } from '../../support/criteria.ts'
import { addCrowd } from '../../support/crowd.ts'
import { describeEachDatabase, type Harness } from '../../support/databases.ts'
import { createSite, type TestSite } from '../../support/sites.ts'
import { addUser } from '../../support/users.ts'

const ALL = criteria()

/** A site with so many users to delete, in one batch. */
async function planned(
  harness: Harness,
  users: number,
): Promise<{ site: TestSite; plan: PurgePlan; keys: string[] }> {
  const site = await createSite(harness, 'django5.2-allauth65')
  const keys: string[] = []
  for (let i = 0; i < users; i++) keys.push(await addUser(site))
  return { site, plan: await planPurge(site, ALL, { batchSize: users }), keys }
}

/** The site, whose writing transactions may fail with one of these codes before they begin; and how many were asked for. */
function failing(site: TestSite, codeOf: (transaction: number) => string | undefined) {
  const asked = { transactions: 0 }
  const transaction: Db['transaction'] = (mode, work) => {
    const code = codeOf(++asked.transactions)
    if (code === undefined) return site.db.transaction(mode, work)
    return Promise.reject(Object.assign(new Error('what the driver says'), { code }))
  }
  return { asked, site: { ...site, db: { ...site.db, transaction } } }
}

describeEachDatabase('a batch that fails', (harness) => {
  test('with a lock on the whole database is tried again, and ends the purge when that does not help', async () => {
    const { site, plan } = await planned(harness, 4)
    const locked = failing(site, () => 'SQLITE_BUSY')
    const report = await purge(locked.site, ALL, plan)
    expect(report).toMatchObject({ deleted: 0, failed: [], stopped: { error: { code: 'SQLITE_BUSY' } } })
    expect(locked.asked.transactions).toBe(5)
    expect(await site.db.$count(site.tables.users)).toBe(4)
  })

  test('with a timeout is halved at once, and only a single user is tried again', async () => {
    const { site, plan } = await planned(harness, 2)
    const slow = failing(site, (transaction) => (transaction <= 2 ? '57014' : undefined))
    expect(await purge(slow.site, ALL, plan)).toMatchObject({ deleted: 2, failed: [], stopped: undefined })
    // All of them; the first one, twice; the second one.
    expect(slow.asked.transactions).toBe(4)
  })

  test('is not halved any further when somebody says stop', async () => {
    const { site, plan } = await planned(harness, 8)
    const stop = new AbortController()
    const slow = failing(site, (transaction) => {
      if (transaction === 2) stop.abort()
      return '57014'
    })
    const report = await purge(slow.site, ALL, plan, { signal: stop.signal })
    expect(report).toMatchObject({ deleted: 0, failed: [], stopped: 'interrupted' })
    // All of them, and the first half.
    expect(slow.asked.transactions).toBe(2)
  })

  test('with a deadlock is tried again as it is', async () => {
    const { site, plan } = await planned(harness, 2)
    const dead = failing(site, (transaction) => (transaction === 1 ? '40P01' : undefined))
    expect(await purge(dead.site, ALL, plan)).toMatchObject({ deleted: 2, failed: [] })
    expect(dead.asked.transactions).toBe(2)
  })
})

describeEachDatabase('a batch that holds its locks for long', (harness) => {
  const USERS = 2_000
  const LONG_MILLISECONDS = 450

  /** Returns how many transactions it takes when each of them takes long, in batches of a thousand. */
  async function transactionsOf(options: PurgeOptions) {
    const site = await createSite(harness, 'django5.2-allauth65')
    await addCrowd(site, USERS)
    const plan = await planPurge(site, ALL, { batchSize: 1_000 })
    let transactions = 0
    const transaction: Db['transaction'] = (mode, work) =>
      site.db.transaction(mode, async (tx) => {
        if (mode === 'write') transactions++
        const done = await work(tx)
        if (mode === 'write') await pause(LONG_MILLISECONDS)
        return done
      })
    const slow = { ...site, db: { ...site.db, transaction } }
    expect(await purge(slow, ALL, plan, options)).toMatchObject({ deleted: USERS, failed: [] })
    return transactions
  }

  test('is followed by no larger one, where others can write meanwhile', async () => {
    expect(await transactionsOf({ isConsiderate: true })).toBe(harness.kind === 'postgres' ? 4 : 2)
  })

  test('is followed by such as were asked for', async () => {
    expect(await transactionsOf({})).toBe(2)
  })
})

describeEachDatabase('a plan that cannot be read any further', (harness) => {
  test('ends the purge when the batches at hand are done, and the report has them', async () => {
    const { site, plan, keys } = await planned(harness, 4)
    const unreadable = new Error('the plan cannot be read')
    async function* batches() {
      yield keys.slice(0, 1).map((key) => ({ key }))
      yield keys.slice(1, 3).map((key) => ({ key }))
      throw unreadable
    }
    const report = await purge(site, ALL, plan, { batches: batches(), jobs: 2 })
    expect(report).toMatchObject({ deleted: 3, failed: [], stopped: { error: unreadable } })
    expect(await site.db.$count(site.tables.users)).toBe(1)
  })
})

describeEachDatabase('the progress of a purge', (harness) => {
  async function progressOf(site: TestSite, plan: PurgePlan, options: PurgeOptions = {}) {
    const seen: { done: number; total: number }[] = []
    await purge(site, ALL, plan, { ...options, onProgress: (progress) => seen.push(progress) })
    return seen.at(-1)
  }

  test('is complete when somebody could not be deleted', async () => {
    const { site, plan } = await planned(harness, 3)
    const refused = failing(site, (transaction) =>
      transaction === 3 ? '23000' : transaction === 1 ? '23000' : undefined,
    )
    expect(await progressOf(refused.site, plan)).toEqual({ done: 3, total: 3 })
  })

  test('is complete when some of a reviewed plan have changed since', async () => {
    const { site, plan, keys } = await planned(harness, 3)
    await site.database.run(`update auth_user set is_staff = true where id = ${keys[0]}`)
    async function* reviewed() {
      yield keys.map((key) => ({ key }))
    }
    const now = { ...plan, toDelete: 2, changed: 1 }
    expect(await progressOf(site, now, { batches: reviewed() })).toEqual({ done: 3, total: 3 })
  })
})
