import { type FileHandle, mkdtemp, open, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { ArchiveWriter } from '../../src/users/archive-writer.ts'
import { openArchive } from '../../src/users/open-archive.ts'
import { usermgmt } from '../cli/run.ts'

vi.mock('node:fs/promises', async (original) => {
  const fs = await original<typeof import('node:fs/promises')>()
  return { ...fs, open: vi.fn(fs.open) }
})

const HEADER = {
  usermgmt: '0.0.0',
  format: 1,
  database: { kind: 'sqlite', identity: 'here' },
  started: '2026-06-01T12:00:00Z',
  users: 'auth_user',
  user_key: 'id',
  user_columns: { username: 'username' },
  email_addresses: 'account_emailaddress',
  tables: [{ name: 'auth_user', columns: ['id'], types: ['integer'] }],
  edges: [],
  criteria: {},
}

let directory: string
let path: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'usermgmt-open-archive-'))
  path = join(directory, 'file')
})
afterEach(async () => {
  vi.clearAllMocks()
  await rm(directory, { recursive: true })
})

async function writeFirst(line: string): Promise<void> {
  const writer = await ArchiveWriter.create(path)
  const batch = writer.batch()
  batch.add(line)
  await batch.save()
  await writer.close()
}

/** Returns the descriptors of all files that have been opened: -1 for one that is closed. */
async function descriptors(): Promise<number[]> {
  const files = await Promise.all(vi.mocked(open).mock.settledResults.map(({ value }) => value as FileHandle))
  return files.map(({ fd }) => fd)
}

test('a header that says all that is needed is read', async () => {
  await writeFirst(JSON.stringify(HEADER))
  const { header, reader } = await openArchive(path)
  await reader.close()
  expect(header).toEqual(HEADER)
})

test.each<[string, () => Promise<void>]>([
  ['nothing', () => writeFile(path, '')],
  ['a text', () => writeFile(path, `somebody's notes, ${'which are long '.repeat(10)}`)],
  ['what gzip has made', () => writeFile(path, gzipSync(JSON.stringify(HEADER)))],
  ['no JSON', () => writeFirst('{bad')],
  ['no object', () => writeFirst('null')],
  ['a format, and nothing else', () => writeFirst('{"format":1}')],
  ['tables without names', () => writeFirst(JSON.stringify({ ...HEADER, tables: [{}] }))],
  [
    'a database nobody knows',
    () => writeFirst(JSON.stringify({ ...HEADER, database: { kind: 'x', identity: '' } })),
  ],
])('a file that holds %s is refused in one line, and closed', async (_, write) => {
  await write()
  for (const command of [
    ['archive', 'show', path],
    ['restore', path, '--yes'],
  ]) {
    expect(await usermgmt(command)).toMatchObject({
      exit: 1,
      stdout: '',
      stderr: `usermgmt: ${path}: not an archive of usermgmt, or damaged at its beginning; archives are made by purge, and are called purge-….ndjson.gz\n`,
    })
  }
  expect(new Set(await descriptors())).toEqual(new Set([-1]))
})

test('a newer format is told apart', async () => {
  await writeFirst('{"format":2}')
  await expect(openArchive(path)).rejects.toThrow(`${path} is not an archive that this version reads`)
})

test('a directory is no file, and is closed', async () => {
  await expect(openArchive(directory)).rejects.toThrow(`the archive ${directory} cannot be read`)
  expect(await descriptors()).toEqual([-1])
})
