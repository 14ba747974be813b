import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { readFile, stat, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { beforeEach, expect, test } from 'vitest'
import { ArchiveReader } from '../../src/users/archive/reader.ts'
import { ArchiveWriter } from '../../src/users/archive/writer.ts'
import { withDirectory } from '../support/directory.ts'

/** Does not compress: more than one write to the system takes. */
const LARGE_BYTES = 2_000_000

let path: string
withDirectory(beforeEach, (directory) => {
  path = join(directory, 'file')
})

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
  await Promise.all(
    lines.map((line) => {
      const batch = writer.batch()
      batch.add(line)
      return batch.save()
    }),
  )
  await writer.close()
  expect((await membersOf(path)).map((member) => member?.length)).toEqual([1, 1, 1, 1])
  expect(new Set((await membersOf(path)).flat())).toEqual(new Set(lines))
})

test('a batch is read as one, whatever it holds: short lines, long ones, bytes, many of them', async () => {
  const long = randomBytes(LARGE_BYTES).toString('base64')
  const many = Array.from({ length: 50_000 }, (_, i) => `line ${i} Zoë 🙂`)
  const writer = await ArchiveWriter.create(path)
  const first = writer.batch()
  first.add('short')
  first.add(long)
  first.add(Buffer.from(many.join('\n')))
  first.add(many.join('\n'))
  const second = writer.batch()
  second.add('short')
  await first.save()
  await second.save()
  await writer.batch().save()
  await writer.close()
  expect(await membersOf(path)).toEqual([['short', long, ...many, ...many], ['short']])
  const { stdout } = await promisify(execFile)('zcat', [path], { maxBuffer: 4 * LARGE_BYTES })
  expect(stdout.split('\n')).toHaveLength(2 + 2 * many.length + 1 + 1)
})

test('of a batch that was not written to its end nothing is read', async () => {
  const writer = await ArchiveWriter.create(path)
  for (const line of ['first', randomBytes(LARGE_BYTES).toString('base64')]) {
    const batch = writer.batch()
    batch.add(line)
    batch.add(line)
    await batch.save()
  }
  await writer.close()
  await truncate(path, (await stat(path)).size - 1)
  const reader = await ArchiveReader.open(path)
  expect([reader.count, reader.end, await reader.lines(0)]).toEqual([1, 'torn', ['first', 'first']])
  await reader.close()
})

/** So much of a damaged file is looked through at once. */
const SCAN_BYTES = 1024 * 1024

test.each([1, 4, 13, 30])(
  'after damage a batch is found that begins %i bytes before the next look',
  async (before) => {
    const writer = await ArchiveWriter.create(path)
    const sizes: number[] = []
    for (const line of ['header', 'batch']) {
      const batch = writer.batch()
      batch.add(line)
      await batch.save()
      sizes.push((await stat(path)).size)
    }
    await writer.close()
    const whole = await readFile(path)
    const damage = Buffer.alloc(SCAN_BYTES + 1 - before)
    await writeFile(path, Buffer.concat([whole.subarray(0, sizes[0]), damage, whole.subarray(sizes[0])]))
    expect(await membersOf(path)).toEqual([['header'], ['batch']])
  },
)
