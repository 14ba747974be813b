import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { simpleParser } from 'mailparser'
import { beforeAll, expect, onTestFinished, test, vi } from 'vitest'
import { sendmailTransport } from '../../src/mail/sendmail-transport.ts'
import { directoryOfTest, withDirectory } from '../support/directory.ts'
import { SECRET, wordsOf } from '../support/errors.ts'
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

async function send(path: string, address = 'anna@example.com', text?: string, limit?: number) {
  const transport = sendmailTransport(path, limit)
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

test('the program gets no secret along', async () => {
  vi.stubEnv('USERMGMT_SECRET_KEY', SECRET)
  vi.stubEnv('DATABASE_URL', `postgres://site:${SECRET}@db/site`)
  vi.stubEnv('PGPASSWORD', SECRET)
  onTestFinished(() => void vi.unstubAllEnvs())
  const path = await program('curious', 'env >environment; cat >/dev/null')
  expect(await send(path)).toMatchObject({ kind: 'sent' })
  const environment = await readFile(join(directory, 'environment'), 'utf8')
  expect(environment).toContain(`PATH=${process.env.PATH}`)
  expect(environment).not.toContain(SECRET)
})

test.each([
  ['cat >/dev/null; exit 67', 'bounced'],
  ['cat >/dev/null; exit 68', 'bounced'],
  ['cat >/dev/null; exit 75', 'deferred'],
  ['cat >/dev/null; exit 77', 'refused'],
  ['exit 75', 'deferred'],
  ['exit 67', 'bounced'],
  ['cat >/dev/null; kill -KILL $$', 'uncertain'],
  ['head -c 1 >/dev/null; kill -KILL $$', 'uncertain'],
  ['kill -INT $$', 'deferred'],
  ['exit 0', 'uncertain'],
  ['head -c 1 >/dev/null; exit 0', 'uncertain'],
])('%s: %s', async (lines, kind) => {
  const path = await program('answers', lines)
  for (const text of ['x\n', 'x\n'.repeat(200_000)]) {
    const outcome = await send(path, 'anna@example.com', text)
    expect(outcome.kind).toBe(kind)
    expect(outcome.reply).toMatch(/^the program (exited with code|was ended by|ended before)/)
  }
})

test.each([
  ["printf 'first\\n\\033[31moops\\n\\n' >&2", 'exited with code 75: [31moops'],
  ['echo "<anna@example.com>: no such user" >&2', 'exited with code 75: <(address)>: no such user'],
  ['sleep 3 & echo "it goes on" >&2', 'exited with code 75: it goes on'],
  ['yes oops | head -100000 >&2', 'exited with code 75: oops'],
  ['yes oops | head -100000 | tr "\\n" " " >&2', /^exited with code 75: [ops ]+$/],
])('the last words of a program that fails: %s', async (lines, said) => {
  const path = await program('speaks', `cat >/dev/null; ${lines}; exit 75`)
  const { reply } = await send(path)
  expect(reply.length).toBeLessThanOrEqual(300)
  expect(reply.replace('the program ', '')).toEqual(
    typeof said === 'string' ? said : expect.stringMatching(said),
  )
})

test('what a program leaves running keeps nobody waiting, and is not disturbed', async () => {
  const delivers = 'until [ -e go ]; do sleep 0.05; done; echo word >&2; echo word >&2; touch delivered'
  const path = await program('leaves', `cat >/dev/null; (${delivers}) & exit 0`)
  const pipes = () => process.getActiveResourcesInfo().filter((name) => name === 'PipeWrap').length
  const before = pipes()
  expect(await send(path)).toMatchObject({ kind: 'sent' })
  await vi.waitUntil(() => pipes() === before)
  await writeFile(join(directory, 'go'), '')
  await vi.waitUntil(() => existsSync(join(directory, 'delivered')), { timeout: 60_000 })
})

test.each([
  ['exit 0', 'uncertain', 'all of it'],
  ['exit 75', 'deferred', 'nothing'],
  ['kill -KILL $$', 'deferred', 'nothing'],
])('%s: %s, and what it leaves running finds %s', async (end, kind, found) => {
  const place = await directoryOfTest()
  const reads = 'until [ -e go ]; do sleep 0.05; done; cat <&3 >rest; mv rest late'
  const path = await program('reads-late', `cd '${place}'; exec 3<&0; (${reads}) & ${end}`)
  expect(await send(path, 'anna@example.com', 'the end')).toMatchObject({ kind })
  await writeFile(join(place, 'go'), '')
  const late = join(place, 'late')
  await vi.waitUntil(() => existsSync(late), { timeout: 60_000 })
  const { subject, text = '' } = await simpleParser(await readFile(late))
  expect([subject, text.trim()]).toEqual(
    found === 'nothing' ? [undefined, ''] : ['Please confirm', 'the end'],
  )
})

test.each([
  ['cat >/dev/null', 'uncertain'],
  ["trap '' TERM; head -c 1 >/dev/null", 'uncertain'],
  ['true', 'deferred'],
])('a program that hangs is ended with all that it has started: %s: %s', async (lines, kind) => {
  const place = await directoryOfTest()
  const held = join(place, 'held')
  execFileSync('mkfifo', [held])
  // Ends when the last one that holds it open has ended.
  const ended = readFile(held, 'utf8')
  const hangs = `exec 4>'${held}'; echo "it hangs" >&2; sleep 600 & wait; sleep 600`
  const outcome = await send(await program('hangs', `${lines}; ${hangs}`), 'anna@example.com', 'x', 2_000)
  expect(outcome).toEqual({ kind, reply: 'the program had not ended after 2 seconds: it hangs' })
  expect(await ended).toBe('')
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
