import { readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { simpleParser } from 'mailparser'
import { beforeAll, expect, test } from 'vitest'
import { outboxTransport } from '../../src/mail/outbox-transport.ts'
import { withDirectory } from '../support/directory.ts'
import { wordsOf } from '../support/errors.ts'
import { mailTo } from '../support/mail.ts'

let directory: string

withDirectory(beforeAll, (path) => {
  directory = path
})

test('mails become files that a mail reader opens, and nobody else', async () => {
  const outbox = join(directory, 'mails', 'of today')
  const addresses = ['anna@example.com', 'müller@bücher.example', 'ben@example.com']
  for (let run = 0; run < 2; run++) {
    const transport = await outboxTransport(outbox)
    for (const address of addresses) {
      expect(await transport.send(mailTo(address))).toMatchObject({
        kind: 'sent',
        reply: expect.stringMatching(/^written to 00000[123]-[0-9a-f]{8}\.eml$/),
      })
    }
    await transport.close()
  }
  const files = (await readdir(outbox)).sort()
  expect(files.length).toBe(6)
  const mails = await Promise.all(files.map(async (file) => simpleParser(await readFile(join(outbox, file)))))
  const recipients = mails.flatMap(({ to }) => [to ?? []].flat().flatMap(({ value }) => value))
  expect(recipients.map(({ address }) => address)).toEqual(addresses.flatMap((address) => [address, address]))
  expect(mails[0]).toMatchObject({ subject: 'Please confirm', text: expect.stringMatching('For anna') })
  expect((await stat(outbox)).mode & 0o777).toBe(0o700)
  for (const file of files) expect((await stat(join(outbox, file))).mode & 0o777).toBe(0o600)
})

test('a directory that cannot be written to ends it before or at the first mail', async () => {
  const file = join(directory, 'file')
  await writeFile(file, '')
  expect(await wordsOf(() => outboxTransport(file))).toMatchObject({
    kind: 'failed',
    message: `the outbox ${file} cannot be written to: a part of its path is no directory`,
  })
  expect(await wordsOf(() => outboxTransport(join(file, 'mails')))).toMatchObject({
    message: expect.stringMatching(/a part of its path is no directory$/),
  })
  const nowhere = join(directory, 'link')
  await symlink('/nowhere', nowhere)
  for (const place of ['/proc/mails', '/proc/mails/of/today', join(nowhere, 'mails')]) {
    expect(await wordsOf(() => outboxTransport(place))).toMatchObject({
      message: expect.stringMatching(/cannot be written to: (there is no such file|permission denied)/),
    })
  }
  const outbox = join(directory, 'removed')
  const transport = await outboxTransport(outbox)
  await rm(outbox, { recursive: true })
  expect(await wordsOf(() => transport.send(mailTo('anna@example.com')))).toMatchObject({
    message: expect.stringMatching(/removed cannot be written to: there is no such file or directory$/),
  })
})
