import { mkdir, readdir, symlink, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeEach, expect, test } from 'vitest'
import { writeArchive } from '../support/archives.ts'
import { withDirectory } from '../support/directory.ts'
import { usermgmt } from './run.ts'

const NOW = new Date('2025-06-15T12:00:00Z')
const OLD = new Date('2025-04-01T12:00:00Z')

let directory: string
withDirectory(beforeEach, (path) => {
  directory = path
})

const nameOf = (which: string) => `purge-${which}.ndjson.gz`
const pathOf = (which: string) => join(directory, nameOf(which))

async function prune(age = '30d') {
  const ran = await usermgmt(['archive', 'prune', '--older-than', age, '--archive', directory], {
    now: NOW,
  })
  return { ...ran, left: (await readdir(directory)).sort() }
}

test('old archives go, young ones stay', async () => {
  await writeArchive(pathOf('old'), OLD)
  await writeArchive(pathOf('young'), NOW)
  expect(await prune()).toMatchObject({
    exit: 0,
    stdout: '1 archive removed, 1 kept\n',
    stderr: '',
    left: [nameOf('young')],
  })
})

test('one of exactly that age stays', async () => {
  await writeArchive(pathOf('then'), new Date('2025-05-16T12:00:00Z'))
  expect(await prune()).toMatchObject({ exit: 0, stdout: '0 archives removed, 1 kept\n' })
})

test('what a purge may still be writing stays, however young may go', async () => {
  const hoursAgo = (hours: number) => new Date(NOW.getTime() - hours * 60 * 60 * 1000)
  await writeArchive(pathOf('at-work'), hoursAgo(23))
  await writeArchive(pathOf('ended'), hoursAgo(23), { ended: true })
  await writeArchive(pathOf('killed'), hoursAgo(25))
  expect(await prune('0d')).toMatchObject({
    exit: 0,
    stdout: '2 archives removed, 1 kept (1 without an end: the purge may be at work)\n',
    stderr: '',
    left: [nameOf('at-work')],
  })
})

test('what is only called like an archive stays, whatever it is', async () => {
  const elsewhere = join(directory, 'elsewhere')
  await writeArchive(elsewhere, OLD)
  await symlink(elsewhere, pathOf('linked'))
  await symlink(join(directory, 'nowhere'), pathOf('dangling'))
  await mkdir(pathOf('directory'))
  await utimes(pathOf('directory'), OLD, OLD)
  await writeFile(pathOf('empty'), '')
  await writeFile(pathOf('notes'), 'whom to ask before the next purge; '.repeat(10))
  for (const which of ['empty', 'notes']) await utimes(pathOf(which), OLD, OLD)
  await writeArchive(pathOf('old'), OLD)
  const before = (await readdir(directory)).sort()
  expect(await prune()).toMatchObject({
    exit: 0,
    stdout: '1 archive removed, 0 kept\n',
    stderr: '',
    left: before.filter((name) => name !== nameOf('old')),
  })
})

test('with --quiet it says what it removes, and nothing else', async () => {
  const quiet = () =>
    usermgmt(['archive', 'prune', '--older-than', '30d', '--archive', directory, '--quiet'], { now: NOW })
  await writeArchive(pathOf('young'), NOW)
  expect(await quiet()).toMatchObject({ exit: 0, stdout: '', stderr: '' })
  await writeArchive(pathOf('old'), OLD)
  expect(await quiet()).toMatchObject({ exit: 0, stdout: '1 archive removed, 1 kept\n', stderr: '' })
})

test('a directory that is not there is said to be', async () => {
  const missing = join(directory, 'missing')
  const args = ['archive', 'prune', '--older-than', '30d']
  expect(await usermgmt([...args, '--archive', missing])).toMatchObject({
    exit: 1,
    stdout: '',
    stderr: `usermgmt: there is no directory ${missing}; see --archive\n`,
  })
  expect(await usermgmt(args, { cwd: directory })).toMatchObject({
    exit: 0,
    stdout: '0 archives removed, 0 kept\n',
    stderr: `there is no directory ${join(directory, 'usermgmt-archive')}\n`,
  })
})

test('a date is one of the zone that the configuration file names', async () => {
  await writeFile(join(directory, 'usermgmt.config.json'), '{"time_zone":"Pacific/Kiritimati"}')
  // It is the next day there already.
  const now = new Date('2025-06-15T12:00:00Z')
  const args = ['archive', 'prune', '--older-than', '2025-06-16', '--archive', directory]
  expect(await usermgmt(args, { cwd: directory, now })).toMatchObject({ exit: 0 })
})
