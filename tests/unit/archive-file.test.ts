import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { ArchiveReader, ArchiveWriter } from '../../src/users/archive-file.ts'

/** Does not compress: more than one write to the system takes. */
const LARGE_BYTES = 2_000_000

let path: string
beforeEach(async () => {
  path = join(await mkdtemp(join(tmpdir(), 'usermgmt-archive-file-')), 'file')
})
afterEach(() => rm(join(path, '..'), { recursive: true }))

async function membersOf(file: string): Promise<(string[] | undefined)[]> {
  const reader = await ArchiveReader.open(file)
  const members = []
  for (let number = 0; number < reader.count; number++) members.push(await reader.lines(number))
  await reader.close()
  return members
}

test('what is appended at the same time is whole, one after the other', async () => {
  const lines = Array.from({ length: 4 }, () => randomBytes(LARGE_BYTES).toString('base64'))
  const writer = await ArchiveWriter.create(path)
  await Promise.all(lines.map((line) => writer.append([line])))
  await writer.close()
  expect((await membersOf(path)).map((member) => member?.length)).toEqual([1, 1, 1, 1])
  expect(new Set((await membersOf(path)).flat())).toEqual(new Set(lines))
})
