import type { SQL } from 'drizzle-orm'
import { drizzle, type NodePgDatabase } from 'drizzle-orm/node-postgres'
import pg from 'pg'
import {
  type Builders,
  buildersOf,
  countBy,
  type Db,
  type OpenOptions,
  type TransactionMode,
} from '../port.ts'
import { connectionTo } from './connection.ts'
import { postgresDialect } from './dialect.ts'
import { trackedSockets } from './sockets.ts'

const BEGIN: Record<TransactionMode, string> = {
  read: 'begin isolation level repeatable read read only',
  // Each statement must see what others committed while it waited for a lock. Not `read write`: a role that may only
  // read by default is meant to.
  write: 'begin isolation level read committed',
}

/**
 * Values print the same everywhere, and are read as they were printed. Nothing is compiled just in time: that costs
 * more than these queries. What policies hide is an error: neither a guard nor the archive may overlook it. Set in each
 * transaction, and there is no statement outside one, because behind a transaction pooler a session keeps nothing.
 */
const SETTINGS = `set local timezone = 'UTC'; set local datestyle = 'ISO'; set local intervalstyle = 'postgres';
  set local extra_float_digits = 1; set local bytea_output = 'hex'; set local jit = off;
  set local array_nulls = on; set local xmloption = content; set local transform_null_equals = off;
  set local standard_conforming_strings = on; set local quote_all_identifiers = off;
  set local row_security = off`

/**
 * Opens a PostgreSQL database by libpq's rules: URL parameters, PG* variables, ~/.pgpass.
 * Throws a UserError when the URL cannot be used; a server that does not answer shows at the first query.
 */
export async function openPostgres(url: string, { connections = 1 }: OpenOptions): Promise<Db> {
  const sockets = trackedSockets()
  const { identity, ...connection } = await connectionTo(url)
  const pool = new pg.Pool({
    ...connection,
    max: connections,
    fallback_application_name: 'usermgmt',
    keepAlive: true,
    stream: sockets.next,
  })
  // A connection that breaks while idle must not end the process; the next query reports it.
  pool.on('error', () => {})
  // Nor one that breaks while it changes hands, when the pool does not listen any more and nobody else does yet.
  pool.on('connect', (client) => client.on('error', () => {}))
  return portOf(drizzle({ client: oneByOne(pool) }), {
    identity,
    transaction: (mode, work) =>
      inTransaction(pool, BEGIN[mode], (client) => work(transactionPort(client, identity))),
    close: () => pool.end().finally(sockets.destroyAll),
  })
}

function portOf(drizzled: NodePgDatabase, rest: Pick<Db, 'identity' | 'transaction' | 'close'>): Db {
  const rows = async <T extends object>(query: SQL) => (await drizzled.execute(query)).rows as T[]
  return {
    ...buildersOf(drizzled as unknown as Builders),
    dialect: postgresDialect,
    rows,
    $count: countBy(rows),
    run: async (statement) => {
      await drizzled.execute(statement)
    },
    changes: async (statement) => (await drizzled.execute(statement)).rowCount ?? 0,
    // The server's own processes are the other threads.
    throughManyWrites: (work) => work(),
    readAhead: async () => undefined,
    ...rest,
  }
}

/** Returns what Drizzle takes for a pool: it asks for nothing but `query`. Each statement is a transaction. */
function oneByOne(pool: pg.Pool): pg.Pool {
  const query = (config: pg.QueryConfig, values: unknown[]) =>
    inTransaction(pool, 'begin', (client) => client.query(config, values))
  return { query } as pg.Pool
}

async function inTransaction<T>(
  pool: pg.Pool,
  begin: string,
  work: (client: pg.PoolClient) => Promise<T>,
): Promise<T> {
  const client = await pool.connect()
  let broken: Error | undefined
  try {
    await client.query(`${begin}; ${SETTINGS}`)
    const result = await work(client)
    const { command } = await client.query('commit')
    // PostgreSQL answers so, and not with an error, when a statement failed and the work went on regardless.
    if (command === 'ROLLBACK') throw new Error('a statement had failed, so nothing was committed')
    return result
  } catch (error) {
    await client.query('rollback').catch((failure: Error) => {
      broken = failure
    })
    throw error
  } finally {
    client.release(broken)
  }
}

function transactionPort(client: pg.PoolClient, identity: string): Db {
  return portOf(drizzle(client), {
    identity,
    transaction: async () => {
      throw new Error('transactions do not nest')
    },
    close: async () => {},
  })
}
