import { open } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { packageRoot } from '../../src/package-root.ts'
import { djangoSite } from '../interop/site-runner.ts'
import type { DatabaseKind, RawConnection, Storage } from '../support/databases.ts'
import { startPostgres } from '../support/postgres-server.ts'
import { postgresStorage } from '../support/postgres-storage.ts'
import { sqliteStorage } from '../support/sqlite-storage.ts'
import { crowd } from './crowd.ts'
import { type Command, timed } from './measure.ts'
import { startPackagedPostgres } from './packaged-postgres.ts'

/** As durable as a server is by default. What works at its own time would hit one contender and spare another. */
const POSTGRES_SETTINGS = ['autovacuum=off', 'max_wal_size=8GB', 'checkpoint_timeout=1d']

/** The ledger writes a row for each user, which no peer does: a contender that keeps one makes it again. */
const NO_LEDGER = ['deletion', 'reminder', 'lock', 'run', 'migration'].map(
  (table) => `DROP TABLE usermgmt_${table}`,
)

export const BIN = fileURLToPath(new URL('bin/usermgmt.js', packageRoot()))

/** Whose rows keep a user, by `table.column`: of Django itself, and of the models in tests/interop/site. */
const KEEPING = ['django_admin_log.user_id']
const KEEPING_OF_MODELS = [
  'blog_profile.user_id',
  'blog_post.author_id',
  'blog_post.editor_id',
  'blog_comment.author_id',
  'blog_page.owner_id',
  'blog_article.writer_id',
  'blog_club_members.user_id',
]

/** A database with a crowd that one contender has for itself. */
export interface SiteDatabase {
  readonly kind: DatabaseKind
  /** For usermgmt. */
  readonly url: string
  /** For Django, sqlite3 and psql: a path, or the URL. */
  readonly place: string
  /** The columns that a guard asks whether they refer to a user. */
  readonly keeping: readonly string[]
  connect(): Promise<RawConnection>
  drop(): Promise<void>
}

/** Makes databases of one kind; each crowd is made once and copied. */
export class SiteDatabases {
  readonly kind: DatabaseKind
  private readonly storage: Storage
  private readonly stop: () => Promise<void>
  private readonly hasDjango: boolean
  private readonly crowds = new Map<number, Promise<string>>()
  private made = 0

  private constructor(kind: DatabaseKind, storage: Storage, hasDjango: boolean, stop = async () => {}) {
    this.kind = kind
    this.storage = storage
    this.hasDjango = hasDjango
    this.stop = stop
  }

  /** `hasDjango`: its migrations are run too, so that it finds its tables. */
  static async open(kind: DatabaseKind, hasDjango: boolean): Promise<SiteDatabases> {
    if (kind === 'sqlite') return new SiteDatabases(kind, await sqliteStorage(), hasDjango)
    const server =
      (await startPackagedPostgres(POSTGRES_SETTINGS)) ?? (await startPostgres(POSTGRES_SETTINGS))
    return new SiteDatabases(kind, await postgresStorage(server.url), hasDjango, server.stop)
  }

  /** Returns the name and the version of the database. */
  async version(): Promise<string> {
    const name = this.nextName()
    await this.storage.create(name)
    const connection = await this.storage.connect(name)
    const select = this.kind === 'sqlite' ? "'SQLite ' || sqlite_version()" : 'version()'
    const [row] = await connection.rows<{ version: string }>(`SELECT ${select} AS version`)
    await connection.close()
    await this.storage.drop(name)
    return row?.version ?? ''
  }

  /** Returns a database with so many users, with nothing left to be written by the system. */
  async withCrowd(users: number): Promise<SiteDatabase> {
    const source = this.crowds.get(users) ?? this.makeCrowd(users)
    this.crowds.set(users, source)
    const name = this.nextName()
    await this.storage.copy(await source, name)
    const database = this.named(name)
    await (this.kind === 'sqlite' ? flushed(database.place) : this.run(name, ['CHECKPOINT']))
    return database
  }

  async close(): Promise<void> {
    await this.storage.close()
    await this.stop()
  }

  private async makeCrowd(users: number): Promise<string> {
    const name = this.nextName()
    await this.storage.create(name)
    const { url, place } = this.named(name)
    await timed(usermgmt(url, 'migrate', '--quiet'))
    await this.run(name, NO_LEDGER)
    if (this.hasDjango) await djangoSite({ database: place }).manage(['migrate', '--verbosity', '0'])
    await this.run(name, crowd(this.kind, users))
    if (this.kind === 'postgres') await this.run(name, ['VACUUM ANALYZE'])
    return name
  }

  private named(name: string): SiteDatabase {
    const url = this.storage.url(name)
    return {
      kind: this.kind,
      url,
      place: url.replace(/^sqlite:/, ''),
      keeping: this.hasDjango ? [...KEEPING, ...KEEPING_OF_MODELS] : KEEPING,
      connect: () => this.storage.connect(name),
      drop: () => this.storage.drop(name),
    }
  }

  private async run(name: string, statements: readonly string[]): Promise<void> {
    const connection = await this.storage.connect(name)
    for (const statement of statements) await connection.run(statement)
    await connection.close()
  }

  private nextName(): string {
    this.made += 1
    return `usermgmt_bench_${this.made}`
  }
}

/** Returns the command line as a person would run it. */
export function usermgmt(url: string, ...args: string[]): Command {
  return { program: process.execPath, args: [BIN, ...args, '--database', url] }
}

async function flushed(path: string): Promise<void> {
  const file = await open(path)
  await file.datasync()
  await file.close()
}
