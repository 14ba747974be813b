import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import type { Dialect } from '../db/dialect.ts'
import { packageRoot } from '../package-root.ts'

/** `site`: a schema that Django and allauth adopt as their own. `ledger`: the tool's own tables. In this order. */
const FOLDERS = ['site', 'ledger'] as const

export interface Migration {
  readonly folder: (typeof FOLDERS)[number]
  readonly name: string
  /** SHA-256 of the file, in hexadecimal. */
  readonly hash: string
  /** Without the semicolon. */
  readonly statements: readonly string[]
}

/** Returns the migrations that the package brings for this database, in the order in which they apply. */
export async function migrationFiles(database: Dialect['name']): Promise<Migration[]> {
  const root = new URL(`drizzle/${database}/`, packageRoot())
  const folders = await Promise.all(FOLDERS.map((folder) => readFolder(root, folder)))
  return folders.flat()
}

/** Drizzle's own readMigrationFiles() reads the same journal, but forgets the names. */
async function readFolder(root: URL, folder: Migration['folder']): Promise<Migration[]> {
  const journal: { entries: { tag: string }[] } = JSON.parse(
    await readFile(new URL(`${folder}/meta/_journal.json`, root), 'utf8'),
  )
  return Promise.all(
    journal.entries.map(async ({ tag }) => {
      const text = await readFile(new URL(`${folder}/${tag}.sql`, root), 'utf8')
      return {
        folder,
        name: tag,
        hash: createHash('sha256').update(text).digest('hex'),
        statements: text.split('--> statement-breakpoint').map((part) => part.trim().replace(/;$/, '')),
      }
    }),
  )
}
