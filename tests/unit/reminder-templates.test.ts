import { rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import { type ReminderVariables, reminderRenderer } from '../../src/mail/reminder-templates.ts'
import { withDirectory } from '../support/directory.ts'
import { wordsOf } from '../support/errors.ts'

let directory: string
withDirectory(beforeEach, (path) => {
  directory = path
})

const VARIABLES: ReminderVariables = {
  user: {
    id: '5',
    username: 'anna',
    first_name: '<b>Anna</b>',
    last_name: null,
    email: null,
    date_joined: '2019-05-01T10:00:00Z',
    last_login: null,
    display_name: null,
  },
  address: 'anna@example.com',
  link: 'https://site.example/?a=b&c=d',
  link_confirms: true,
  link_expires: '2025-06-18T22:30:00Z',
  deletion_date: null,
  site_name: 'The Site',
  site_url: 'https://site.example/',
}

async function write(files: Record<string, string | Buffer>) {
  for (const [name, content] of Object.entries(files)) await writeFile(join(directory, name), content)
}

const render = async (zone = 'UTC') => (await reminderRenderer(directory, zone))(VARIABLES)

describe('own templates', () => {
  test('each stands in for the built-in one', async () => {
    await write({ 'reminder.subject.liquid': 'Your\naccount {{ user.username }}\n' })
    expect(await render()).toMatchObject({
      subject: 'Your account anna',
      text: expect.stringContaining('there is one step left'),
      html: expect.stringContaining('<!doctype html>'),
    })
  })

  test('HTML is escaped, text and subject are not', async () => {
    await write({
      'reminder.subject.liquid': 'For {{ user.first_name }}',
      'reminder.txt.liquid': '{{ user.first_name }} {{ link }}',
      'reminder.html.liquid': '<p>{{ user.first_name }} {{ link }}</p>',
    })
    expect(await render()).toEqual({
      subject: 'For <b>Anna</b>',
      text: '<b>Anna</b> https://site.example/?a=b&c=d\n',
      html: '<p>&lt;b&gt;Anna&lt;/b&gt; https://site.example/?a=b&amp;c=d</p>',
    })
  })

  test('dates are shown in the zone, in any form, or as they are', async () => {
    await write({
      'reminder.subject.liquid':
        '{{ link_expires | date }} | {{ link_expires | date: "%d.%m.%Y" }} | {{ link_expires }} |{{ deletion_date | date }}',
    })
    expect((await render('Europe/Berlin')).subject).toBe(
      '19 June 2025, 00:30 (Europe/Berlin) | 19.06.2025 | 2025-06-18T22:30:00Z |',
    )
  })

  test.each([
    ['Europe/Berlin', '2025-01-15T23:30:00Z', '16 January 2025 00:30 +0100'],
    ['Europe/Berlin', '2025-07-15T23:30:00.123456Z', '16 July 2025 01:30 +0200'],
    ['America/New_York', '2025-03-09T06:59:00Z', '9 March 2025 01:59 -0500'],
    ['America/New_York', '2025-03-09T07:00:00Z', '9 March 2025 03:00 -0400'],
    ['UTC', '2025-07-15T23:30:00Z', '15 July 2025 23:30 +0000'],
  ])('in %s, %s is %s', async (zone, instant, shown) => {
    const format = '%-d %B %Y %H:%M %z'
    await write({ 'reminder.subject.liquid': `on {{ deletion_date | date: "${format}" }}` })
    const { subject } = (await reminderRenderer(directory, zone))({ ...VARIABLES, deletion_date: instant })
    expect(subject).toBe(`on ${shown}`)
  })

  test('the zone has its name', async () => {
    await write({ 'reminder.subject.liquid': 'at {{ link_expires | date: "%H:%M %Z" }}' })
    expect((await render('Europe/Berlin')).subject).toBe('at 00:30 Europe/Berlin')
  })

  test('can include the others of their directory', async () => {
    await write({
      'reminder.subject.liquid': "{% include 'greeting.liquid' %}, bye",
      'greeting.liquid': 'Hello {{ user.username }}',
    })
    expect((await render()).subject).toBe('Hello anna, bye')
  })

  test.each([
    "{% include '../secret.liquid' %}",
    "{% include '/etc/passwd' %}",
    "{% render 'constructor' %}",
    "{% layout '/etc/hosts' %}",
  ])('cannot read another file: %s', async (template) => {
    await write({ 'reminder.txt.liquid': template })
    await writeFile(join(directory, '..', 'secret.liquid'), 'secret')
    expect((await wordsOf(() => render())).message).toMatch(/^the template reminder\.txt\.liquid/)
    await rm(join(directory, '..', 'secret.liquid'))
  })
})

describe('a mistake in a template', () => {
  test.each([
    ['reminder.txt.liquid', 'Hello\n\n{{ nobody }}', 'line 3: undefined variable: nobody'],
    ['reminder.txt.liquid', 'Hello\n{{ user.nobody }}', 'line 2: undefined variable: user.nobody'],
    ['reminder.html.liquid', '<p>\n{{ link | shout }}', 'line 2: undefined filter: shout'],
    ['reminder.subject.liquid', '{% if link %}', 'line 1: tag {% if link %} not closed'],
    ['reminder.subject.liquid', '{{ link', 'line 1: output "{{ link" not closed'],
    ['reminder.txt.liquid', 'a\n{% nothing %}', 'line 2: tag "nothing" not found'],
    [
      'reminder.txt.liquid',
      '{% if deletion_date %}\n{{ typo }}{% endif %}',
      'line 2: undefined variable: typo',
    ],
    [
      'reminder.txt.liquid',
      '{% unless deletion_date %}\n{{ typo }}{% endunless %}',
      'line 2: undefined variable: typo',
    ],
  ])('%s: %j', async (file, content, message) => {
    await write({ [file]: content })
    const error = await wordsOf(() => render())
    expect(error).toMatchObject({ kind: 'invalid', message: `the template ${file}, ${message}` })
  })

  test('names the file that was included', async () => {
    await write({ 'reminder.txt.liquid': "{% include 'part.liquid' %}", 'part.liquid': '\n{{ typo }}' })
    expect((await wordsOf(() => render())).message).toBe(
      'the template part.liquid, line 2: undefined variable: typo',
    )
  })

  test('says which variables there are', async () => {
    await write({ 'reminder.txt.liquid': '{{ username }}' })
    expect((await wordsOf(() => render())).hint).toMatch(/user\.username, .*link_expires, deletion_date/)
  })
})

describe('a template that', () => {
  test.each([
    ['reminder.subject.liquid', '{% if deletion_date %}Deletion{% endif %}', 'comes out empty'],
    ['reminder.txt.liquid', 'Please confirm', 'does not print the link'],
    ['reminder.html.liquid', '<p>{{ address }}</p>', 'does not print the link'],
  ])('would make a mail that is good for nothing is refused: %s: %s', async (file, content, what) => {
    await write({ [file]: content })
    const error = await wordsOf(() => render())
    expect(error).toMatchObject({ kind: 'invalid', message: `the template ${file} ${what}` })
  })

  test('includes one that is not there is told so', async () => {
    await write({ 'reminder.txt.liquid': "{{ link }}{% include 'part.liquid' %}" })
    expect((await wordsOf(() => render())).message).toBe(
      'the template reminder.txt.liquid, line 1: there is no template part.liquid beside it',
    )
  })
})

describe('a directory that', () => {
  test('is missing', async () => {
    const error = await wordsOf(() => reminderRenderer(join(directory, 'nowhere'), 'UTC'))
    expect(error.message).toMatch(/cannot be read from .*: there is no such file or directory/)
  })

  test('has no template', async () => {
    await write({ 'reminder.text.liquid': 'Hello' })
    expect(await wordsOf(() => render())).toMatchObject({
      kind: 'invalid',
      message: expect.stringMatching(/^there is no template in/),
      hint: expect.stringContaining('reminder.txt.liquid'),
    })
  })

  test('has one that cannot be read, or is no text', async () => {
    await symlink('/nowhere', join(directory, 'reminder.txt.liquid'))
    expect((await wordsOf(() => render())).message).toBe(
      'the template reminder.txt.liquid cannot be read: there is no such file or directory',
    )
    await rm(join(directory, 'reminder.txt.liquid'))
    await write({ 'reminder.txt.liquid': Buffer.from([0xff, 0xfe]) })
    expect((await wordsOf(() => render())).message).toBe('the template reminder.txt.liquid is not UTF-8 text')
  })
})
