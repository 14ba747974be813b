import { djangoSite } from '../interop/site-runner.ts'
import { CUTOFF } from './crowd.ts'
import { type Command, isThere, secondsOf } from './measure.ts'
import type { SiteDatabase } from './site-databases.ts'

/** The selection in Django's words, by hand: what somebody without this program would write. */
const CANDIDATES = `FROM auth_user u WHERE (u.last_login IS NULL OR u.last_login <= '${CUTOFF} 00:00:00')
  AND EXISTS (SELECT 1 FROM account_emailaddress e WHERE e.user_id = u.id AND e."primary" AND NOT e.verified)`

/** As long ago as the grace period is by default, from the day on which somebody ran this first. */
const GRACE = '2026-10-25 00:00:00'

const DELETION = `
  CREATE TEMPORARY TABLE bots AS SELECT u.id ${CANDIDATES};
  DELETE FROM account_emailconfirmation WHERE email_address_id IN (
    SELECT id FROM account_emailaddress WHERE user_id IN (SELECT id FROM bots));
  DELETE FROM account_emailaddress WHERE user_id IN (SELECT id FROM bots);
  DELETE FROM auth_user WHERE id IN (SELECT id FROM bots);`

/** Deletes the bots in one transaction, through the driver that usermgmt uses; returns the seconds. */
export async function rawDeletion(database: SiteDatabase): Promise<number> {
  const connection = await database.connect()
  const seconds = await secondsOf(() => connection.run(`BEGIN; ${DELETION} COMMIT`))
  await connection.close()
  return seconds
}

/** Selects the bots and deletes them with QuerySet.delete(); returns the seconds, without those that Python takes to start. */
export async function djangoDeletion(database: SiteDatabase): Promise<number> {
  const site = djangoSite({ database: database.place })
  const started = await secondsOf(() => site.manage(['delete_users'], { stdin: [] }))
  const deletion = ['delete_unverified', '--cutoff', `${CUTOFF}T00:00:00Z`]
  return (await secondsOf(() => site.manage(deletion))) - started
}

/** Returns how the database's own client lists the candidates, an object in each line, with what keeps each. */
export function clientListing({ kind, place, keeping }: SiteDatabase): Command {
  const object = kind === 'sqlite' ? 'json_object' : 'json_build_object'
  return client(
    place,
    `SELECT ${object}('id', u.id, 'username', u.username, 'email', (SELECT e.email FROM account_emailaddress e
        WHERE e.user_id = u.id AND e."primary" AND NOT e.verified ORDER BY e.id LIMIT 1),
      'last_login', u.last_login, 'date_joined', u.date_joined, 'staff', u.is_staff OR u.is_superuser,
      'verified', EXISTS (SELECT 1 FROM account_emailaddress e WHERE e.user_id = u.id AND e.verified),
      'social', EXISTS (SELECT 1 FROM socialaccount_socialaccount s WHERE s.user_id = u.id),
      'deactivated', NOT u.is_active, 'content', ${content(keeping)}) ${CANDIDATES} ORDER BY u.id`,
  )
}

function content(keeping: readonly string[]): string {
  const exist = keeping.map((column) => {
    const [table] = column.split('.')
    return `EXISTS (SELECT 1 FROM ${table} WHERE ${column} = u.id)`
  })
  return `(${exist.join(' OR ')})`
}

/** Returns how the database's own client counts the candidates. */
export function clientCount({ place }: SiteDatabase): Command {
  return client(place, `SELECT count(*) ${CANDIDATES}`)
}

/** Returns how the database's own client counts what a plan tells: who is kept by what, and how many rows go. */
export function clientPlan({ place, keeping }: SiteDatabase): Command {
  const guards = ['recent', 'staff', 'verified', 'social', 'deactivated', 'content']
  return client(
    place,
    `WITH bots AS MATERIALIZED (SELECT u.id, u.is_staff OR u.is_superuser AS staff, NOT u.is_active AS deactivated,
        u.date_joined > '${GRACE}' OR EXISTS (SELECT 1 FROM account_emailaddress e JOIN account_emailconfirmation c
          ON c.email_address_id = e.id WHERE e.user_id = u.id AND c.sent > '${GRACE}') AS recent,
        EXISTS (SELECT 1 FROM account_emailaddress e WHERE e.user_id = u.id AND e.verified) AS verified,
        EXISTS (SELECT 1 FROM socialaccount_socialaccount s WHERE s.user_id = u.id) AS social,
        ${content(keeping)} AS content ${CANDIDATES}),
      gone AS MATERIALIZED (SELECT id FROM bots WHERE NOT (${guards.join(' OR ')}))
    SELECT count(*), ${guards.map((guard) => `count(*) FILTER (WHERE ${guard})`).join(', ')},
      (SELECT count(*) FROM auth_user), (SELECT count(*) FROM gone),
      (SELECT count(*) FROM account_emailaddress WHERE user_id IN (SELECT id FROM gone)),
      (SELECT count(*) FROM account_emailconfirmation WHERE email_address_id IN (
        SELECT id FROM account_emailaddress WHERE user_id IN (SELECT id FROM gone))),
      (SELECT count(*) FROM auth_user_groups WHERE user_id IN (SELECT id FROM gone)),
      (SELECT count(*) FROM auth_user_user_permissions WHERE user_id IN (SELECT id FROM gone)),
      (SELECT count(*) FROM socialaccount_socialaccount WHERE user_id IN (SELECT id FROM gone)) FROM bots`,
  )
}

function client(place: string, query: string): Command {
  return place.startsWith('postgres:')
    ? { program: 'psql', args: ['-XqAt', '-d', place, '-c', query] }
    : { program: 'sqlite3', args: ['-batch', place, query] }
}

export interface Peers {
  readonly sqlite3: boolean
  readonly psql: boolean
  readonly django: boolean
}

/** Returns which of the peers this machine has. */
export async function peersHere(): Promise<Peers> {
  const python = process.env.USERMGMT_TEST_PYTHON ?? '/usr/bin/python3'
  const [sqlite3, psql, django] = await Promise.all([
    isThere('sqlite3', '--version'),
    isThere('psql', '--version'),
    isThere(python, '-c', 'import django, allauth, psycopg2'),
  ])
  return { sqlite3, psql, django }
}
