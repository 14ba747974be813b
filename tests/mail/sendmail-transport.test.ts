import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { simpleParser } from 'mailparser'
import { beforeAll, expect, test } from 'vitest'
import { sendmailTransport } from '../../src/mail/sendmail-transport.ts'
import { withDirectory } from '../support/directory.ts'
import { wordsOf } from '../support/errors.ts'
import { mailTo } from '../support/mail.ts'

let directory: string

withDirectory(beforeAll, (path) => {
  directory = path
})

async function program(name: string, lines: string, mode = 0o700) {
  const path = join(directory, name)
  await writeFile(path, `#!/bin/sh\ncd '${directory}'\n${lines}\n`, { mode })
  return path
}

async function send(path: string, address = 'anna@example.com', text?: string) {
  const transport = sendmailTransport(path)
  const outcome = await transport.send(mailTo(address, text))
  await transport.close()
  return outcome
}

test('the program gets the mail, its sender and its recipient', async () => {
  const path = await program('sendmail', 'echo "$@" >arguments; cat >mail')
  expect(await send(path, 'anna@example.com', 'A line\n.\nthe end')).toMatchObject({ kind: 'sent' })
  const source = await readFile(join(directory, 'mail'))
  expect(source.toString()).not.toContain('\r')
  expect((await simpleParser(source)).text?.trim()).toBe('A line\n.\nthe end')
  expect(await readFile(join(directory, 'arguments'), 'utf8')).toBe(
    '-i -f mail@site.example anna@example.com\n',
  )
})

test.each([
  ['cat >/dev/null; exit 67', 'bounced'],
  ['cat >/dev/null; exit 68', 'bounced'],
  ['cat >/dev/null; exit 75', 'deferred'],
  ['cat >/dev/null; exit 77', 'refused'],
  ['exit 75', 'deferred'],
  ['exit 67', 'bounced'],
  ['cat >/dev/null; kill -KILL $$', 'uncertain'],
])('%s: %s', async (lines, kind) => {
  const path = await program('answers', lines)
  const outcome = await send(path, 'anna@example.com', 'x\n'.repeat(200_000))
  expect(outcome.kind).toBe(kind)
  expect(outcome.reply).toMatch(/^Sendmail (exited|was terminated)/)
})

test('no address is taken for an option', async () => {
  const path = await program('options', 'cat >/dev/null; touch called')
  expect(await send(path, '-oQ/tmp@example.com')).toMatchObject({ kind: 'refused' })
  await expect(readFile(join(directory, 'called'))).rejects.toThrow('ENOENT')
})

test('a program that is not there, or is none', async () => {
  const missing = join(directory, 'missing')
  expect(await wordsOf(() => send(missing))).toMatchObject({
    message: `there is no program ${missing}`,
    hint: expect.stringMatching(/--sendmail PATH/),
  })
  const file = await program('file', '', 0o600)
  expect(await wordsOf(() => send(file))).toMatchObject({
    message: `the program ${file} cannot be started: permission denied`,
  })
})
