import { execFileSync } from 'node:child_process'
import { type FileHandle, open, readFile, symlink, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { openArchive } from '../../src/users/archive/open-archive.ts'
import { ArchiveWriter } from '../../src/users/archive/writer.ts'
import { usermgmt } from '../cli/run.ts'
import { withDirectory } from '../support/directory.ts'

vi.mock('node:fs/promises', async (original) => {
  const fs = await original<typeof import('node:fs/promises')>()
  return { ...fs, open: vi.fn(fs.open) }
})

/** Of a gzip member: without the flag its extra field is no field. */
const FLAGS_AT = 3

const HEADER = {
  usermgmt: '0.0.0',
  format: 1,
  database: { kind: 'sqlite', identity: 'here' },
  started: '2026-06-01T12:00:00Z',
  users: 'auth_user',
  user_key: 'id',
  user_columns: { username: 'username' },
  email_addresses: 'account_emailaddress',
  email_address_key: 'id',
  tables: [{ name: 'auth_user', columns: ['id'], types: ['integer'] }],
  edges: [],
  criteria: {},
}

let directory: string
let path: string
withDirectory(beforeEach, (made) => {
  directory = made
  path = join(directory, 'file')
})
afterEach(() => vi.clearAllMocks())

/** Writes an archive with a line in each batch. */
async function writeBatches(...lines: readonly string[]): Promise<void> {
  const writer = await ArchiveWriter.create(path)
  for (const line of lines) {
    const batch = writer.batch()
    batch.add(line)
    await batch.save()
  }
  await writer.close()
}

/** Returns the descriptors of all files that have been opened: -1 for one that is closed. */
async function descriptors(): Promise<number[]> {
  const files = await Promise.all(vi.mocked(open).mock.settledResults.map(({ value }) => value as FileHandle))
  return files.map(({ fd }) => fd)
}

test('a header that says all that is needed is read', async () => {
  await writeBatches(JSON.stringify(HEADER))
  const { header, reader } = await openArchive(path)
  await reader.close()
  expect(header).toEqual(HEADER)
})

test.each<[string, () => Promise<void>]>([
  ['nothing', () => writeFile(path, '')],
  ['a text', () => writeFile(path, `somebody's notes, ${'which are long '.repeat(10)}`)],
  ['what gzip has made', () => writeFile(path, gzipSync('notes '.repeat(100)))],
  ['no JSON', () => writeBatches('{bad')],
  ['no object', () => writeBatches('null')],
  ['a format, and nothing else', () => writeBatches('{"format":1}')],
  ['tables without names', () => writeBatches(JSON.stringify({ ...HEADER, tables: [{}] }))],
  [
    'no key of the addresses',
    () => writeBatches(JSON.stringify({ ...HEADER, email_address_key: undefined })),
  ],
  [
    'a database nobody knows',
    () => writeBatches(JSON.stringify({ ...HEADER, database: { kind: 'x', identity: '' } })),
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

test.each<[string, (text: string) => string | Buffer]>([
  ['unpacked', (text) => text],
  ['packed again', (text) => gzipSync(text)],
])('an archive that has been %s is known for what it is', async (_, made) => {
  await writeFile(path, made(`${JSON.stringify(HEADER)}\n${'{"d":0,"row":["1"]}\n'.repeat(10_000)}`))
  expect(await usermgmt(['archive', 'show', path])).toMatchObject({
    exit: 1,
    stdout: '',
    stderr: `usermgmt: ${path} has been unpacked since purge wrote it; give the file as purge wrote it: one that was unpacked, or packed again, is not read\n`,
  })
})

test('one whose first batch is damaged is not taken for one that has been packed again', async () => {
  await writeBatches(JSON.stringify(HEADER), '{}')
  const content = await readFile(path)
  content.writeUInt8(0, FLAGS_AT)
  await writeFile(path, content)
  await expect(openArchive(path)).rejects.toThrow('not an archive of usermgmt, or damaged at its beginning')
})

test('nor is one that was cut within its first batch', async () => {
  await writeBatches(
    JSON.stringify({ ...HEADER, criteria: { ...HEADER.criteria, notes: 'x'.repeat(1_000) } }),
  )
  await truncate(path, 200)
  await expect(openArchive(path)).rejects.toThrow('not an archive of usermgmt, or damaged at its beginning')
})

test('one that goes on after its end is refused: it is two', async () => {
  const writer = await ArchiveWriter.create(path)
  for (const batch of [writer.batch(), writer.endBatch(), writer.batch()]) {
    batch.add(JSON.stringify(HEADER))
    await batch.save()
  }
  await writer.close()
  await expect(openArchive(path)).rejects.toThrow('there are several archives in this file')
})

test('a pipe or a device is refused, and a link to an archive is followed', async () => {
  const pipe = join(directory, 'pipe')
  execFileSync('mkfifo', [pipe])
  for (const irregular of [pipe, '/dev/null']) {
    await expect(openArchive(irregular)).rejects.toThrow(`${irregular} is no regular file`)
  }
  await writeBatches(JSON.stringify(HEADER))
  await symlink(path, join(directory, 'link'))
  const { reader } = await openArchive(join(directory, 'link'))
  await reader.close()
})

test('a newer format is told apart', async () => {
  await writeBatches('{"format":2}')
  await expect(openArchive(path)).rejects.toThrow(`${path} is not an archive that this version reads`)
})

test('a directory is no file, and is closed', async () => {
  await expect(openArchive(directory)).rejects.toThrow(`the archive ${directory} cannot be read`)
  expect(await descriptors()).toEqual([-1])
})
