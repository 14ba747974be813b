import type { TestProject } from 'vitest/node'
import { answers, startPostgres } from './postgres-server.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    /** A database of the PostgreSQL server that all suites share; its role may create others. */
    postgresUrl: string
  }
}

/** Nothing here outlives the run, so nothing is made durable. */
const SETTINGS = [
  'fsync=off',
  'full_page_writes=off',
  'synchronous_commit=off',
  'wal_level=minimal',
  'max_wal_senders=0',
  'autovacuum=off',
]

/**
 * Gives every suite a real PostgreSQL: the server that USERMGMT_TEST_PG_URL names, or one of our own.
 * A server that does not start fails the run; no suite is skipped without it.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const given = process.env.USERMGMT_TEST_PG_URL
  if (given) {
    await answers(given)
    project.provide('postgresUrl', given)
    return async () => {}
  }
  const { url, stop } = await startPostgres(SETTINGS)
  project.provide('postgresUrl', url)
  return stop
}
