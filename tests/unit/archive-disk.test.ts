import { type FileHandle, mkdir, open, readdir, stat, symlink } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Archive } from '../../src/users/archive/archive.ts'
import type { ArchiveHeader } from '../../src/users/archive/header.ts'
import { withDirectory } from '../support/directory.ts'

const HEADER = { started: '2026-06-01T12:00:00Z' } as ArchiveHeader

let directory: string
withDirectory(beforeEach, (path) => {
  directory = path
})
afterEach(() => vi.restoreAllMocks())

/** What all open files have in common. */
async function fileHandles(): Promise<FileHandle> {
  const file = await open(directory, 'r')
  await file.close()
  return Object.getPrototypeOf(file)
}

function systemError(code: string): Error {
  return Object.assign(new Error(code), { code })
}

/** Returns the files and directories that are synced from now on, by their numbers. */
async function syncsSeen(): Promise<number[]> {
  const handles = await fileHandles()
  const seen: number[] = []
  for (const way of ['sync', 'datasync'] as const) {
    const real = handles[way]
    vi.spyOn(handles, way).mockImplementation(async function (this: FileHandle) {
      seen.push((await this.stat()).ino)
      return real.call(this)
    })
  }
  return seen
}

async function numbersOf(paths: readonly string[]): Promise<number[]> {
  return Promise.all(paths.map(async (path) => (await stat(path)).ino))
}

async function saveLine(archive: Archive): Promise<void> {
  const batch = archive.batch()
  batch.add('{}')
  await archive.save(batch)
}

test('before the first batch the file, its name and the names of new directories are on the disk', async () => {
  const place = join(directory, 'new', 'archive')
  const seen = await syncsSeen()
  const archive = await Archive.create(place, HEADER)
  expect(seen).toEqual(await numbersOf([directory, dirname(place), archive.path, place]))
  seen.length = 0
  await saveLine(archive)
  await saveLine(archive)
  await archive.end({ end: 'done', users: 2 })
  expect(seen).toEqual(await numbersOf([archive.path, archive.path, archive.path]))
  await archive.close()
})

test('a directory that was there is synced once', async () => {
  const seen = await syncsSeen()
  const archive = await Archive.create(directory, HEADER)
  expect(seen).toEqual(await numbersOf([archive.path, directory]))
  await archive.close()
})

test.each(['/proc/archive', '/proc/of/archive', 'link/archive'])(
  'where no directory can be made (%s) it ends',
  async (place) => {
    await symlink('/nowhere', join(directory, 'link'))
    await expect(Archive.create(resolve(directory, place), HEADER)).rejects.toThrow(
      /cannot be written: (there is no such file or directory|permission denied)/,
    )
  },
)

test.each(['EISDIR', 'EPERM', 'EINVAL'])(
  'where a directory cannot be synced (%s) it goes without',
  async (code) => {
    vi.spyOn(await fileHandles(), 'sync').mockRejectedValue(systemError(code))
    const archive = await Archive.create(directory, HEADER)
    await saveLine(archive)
    await archive.close()
    expect(await readdir(directory)).toHaveLength(1)
  },
)

test('a directory that the disk refuses to sync is not relied on', async () => {
  vi.spyOn(await fileHandles(), 'sync').mockRejectedValue(systemError('EIO'))
  await expect(Archive.create(directory, HEADER)).rejects.toThrow(/cannot be written: EIO/)
  expect(await readdir(directory)).toEqual([])
})

test.each(['appendFile', 'datasync'] as const)(
  'no room for the header (%s): no file is left',
  async (call) => {
    await mkdir(join(directory, 'there'))
    vi.spyOn(await fileHandles(), call).mockRejectedValue(systemError('ENOSPC'))
    await expect(Archive.create(directory, HEADER)).rejects.toThrow(/cannot be written: the disk is full/)
    expect(await readdir(directory)).toEqual(['there'])
  },
)

test('no room for the end: the archive is as good without', async () => {
  const archive = await Archive.create(directory, HEADER)
  await saveLine(archive)
  vi.spyOn(await fileHandles(), 'appendFile').mockRejectedValue(systemError('ENOSPC'))
  await archive.end({ end: 'done', users: 1 })
  await archive.close()
  expect(await readdir(directory)).toHaveLength(1)
})
