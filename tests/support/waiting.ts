import { setTimeout as pause } from 'node:timers/promises'
import { sql } from 'drizzle-orm'
import type { Db } from '../../src/db/port.ts'
import type { RawConnection } from './databases.ts'

/** What a session waits for, in the words of pg_stat_activity. */
const WAITING = { lock: "wait_event_type = 'Lock'", sleep: "wait_event = 'PgSleep'" }

/** Returns once some session of this PostgreSQL database waits for a lock, or sleeps. */
export async function untilSomebodyWaits(
  connection: RawConnection | Db,
  what: keyof typeof WAITING,
): Promise<void> {
  const query = `select 1 from pg_stat_activity where datname = current_database() and ${WAITING[what]}`
  const look = () => ('dialect' in connection ? connection.rows(sql.raw(query)) : connection.rows(query))
  while ((await look()).length === 0) await pause(5)
}
