import fc from 'fast-check'
import { type AddressObject, simpleParser } from 'mailparser'
import { describe, expect, test } from 'vitest'
import { displayName } from '../../src/mail/display-name.ts'
import { listUnsubscribeFrom } from '../../src/mail/list-unsubscribe.ts'
import { isMailable, mailboxFrom } from '../../src/mail/mailbox.ts'
import { messageTo, type Sender, sourceOf } from '../../src/mail/message.ts'
import { type ReminderVariables, reminderRenderer } from '../../src/mail/reminder-templates.ts'
import { wrapText } from '../../src/mail/wrap-text.ts'
import { wordsOf } from '../support/errors.ts'

const DATE = new Date('2025-06-15T12:00:00Z')
const LINK = `https://site.example/confirm/${'NDI%3A1tSm9Y%3A'.repeat(9)}/?a=b&c=d`
const render = await reminderRenderer(undefined, 'UTC')

function variables(parts: Partial<ReminderVariables> = {}, user: Partial<ReminderVariables['user']> = {}) {
  return {
    user: {
      id: '5',
      username: 'anna',
      first_name: 'Anna',
      last_name: 'Lee',
      email: 'anna@example.com',
      date_joined: '2019-05-01T10:00:00Z',
      last_login: null,
      display_name: 'Anna',
      ...user,
    },
    address: 'anna@example.com',
    link: LINK,
    link_confirms: true,
    link_expires: '2025-06-18T12:00:00Z',
    deletion_date: null,
    site_name: 'The Site',
    site_url: 'https://site.example/',
    ...parts,
  }
}

const sender: Sender = { from: mailboxFrom('Die Bücherei <mail@site.example>') }

async function arrived(address: string, from: Sender, given = variables({ address })) {
  const source = await sourceOf(messageTo(address, render(given), from, DATE))
  return { source: source.toString('latin1'), mail: await simpleParser(source) }
}

function mailboxes(found: AddressObject | AddressObject[] | undefined) {
  return [found ?? []].flat().flatMap(({ value }) => value.map(({ name, address }) => ({ name, address })))
}

describe('a reminder', () => {
  test('says who writes, why, until when and what else happens', async () => {
    const { mail } = await arrived(
      'anna@example.com',
      sender,
      variables({ deletion_date: '2025-06-29T02:00:00Z' }),
    )
    expect(mail.subject).toBe('Confirm your address to keep your The Site account')
    for (const text of [
      mail.text,
      String(mail.html)
        .replaceAll('&nbsp;', ' ')
        .replace(/<[^>]*>/g, ''),
    ]) {
      expect(text?.replace(/\s+/g, ' ')).toMatch(/Hello Anna,.*on 1 May 2019.*anna@example\.com/)
      expect(text).toContain('works until 18 June 2025, 12:00 UTC.')
      expect(text?.replace(/\s+/g, ' ')).toContain(
        'will be deleted on 29 June 2025, 02:00 UTC, with everything in it',
      )
      expect(text?.replace(/\s+/g, ' ')).toContain('You can ignore this mail')
    }
    expect(mail.text).toContain(`\n\n${LINK}\n\n`)
    expect(mail.html).toContain(`href="${LINK.replace('&', '&amp;')}"`)
  })

  test('to the login page', async () => {
    const given = variables({ link: 'https://site.example/login/', link_confirms: false, link_expires: null })
    const { mail } = await arrived('anna@example.com', sender, given)
    expect(mail.text).toContain('log in here')
    expect(mail.text).not.toMatch(/works until|will be deleted/)
    expect(mail.subject).toBe('Please confirm your email address for The Site')
  })

  test('has the headers of a mail that a program sends', async () => {
    const { mail, source } = await arrived('anna@example.com', {
      ...sender,
      replyTo: mailboxFrom('help@site.example'),
      listUnsubscribe: listUnsubscribeFrom('https://site.example/no-more/'),
    })
    expect(mailboxes(mail.from)).toEqual([{ name: 'Die Bücherei', address: 'mail@site.example' }])
    expect(mailboxes(mail.replyTo)).toEqual([{ name: '', address: 'help@site.example' }])
    expect(mailboxes(mail.to)).toEqual([{ name: '', address: 'anna@example.com' }])
    expect(mail.date).toEqual(DATE)
    expect(mail.messageId).toMatch(/^<[0-9a-f-]{36}@site\.example>$/)
    expect(mail.headers.get('auto-submitted')).toBe('auto-generated')
    expect(source).toContain('List-Unsubscribe: <https://site.example/no-more/>')
    expect(source).not.toMatch(/x-mailer/i)
    // RFC 5321 allows 998 characters in a line, RFC 5322 asks for 78.
    expect(Math.max(...source.split('\r\n').map((line) => line.length))).toBeLessThanOrEqual(78)
  })

  test.each([
    ['anna@bücher.example', 'anna@bücher.example'],
    ['müller@bücher.example', 'müller@bücher.example'],
    ['"anna lee"@example.com', undefined],
    ["o'neil+tag@example.com", "o'neil+tag@example.com"],
  ])('to %s', async (address, expected) => {
    expect(isMailable(address)).toBe(expected !== undefined)
    if (expected === undefined) return
    const { mail } = await arrived(address, sender)
    expect(mailboxes(mail.to)).toEqual([{ name: '', address: expected }])
  })

  test.each([
    'a\r\nBcc: x@y.example',
    'a@b.example\0',
    'a@b.example, c@d.example',
    '<a@b.example>',
    'anna',
    '',
  ])('%j is no address for one', (address) => {
    expect(isMailable(address)).toBe(false)
  })
})

describe('whatever a user is called', () => {
  const hostile = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom(
      'x\r\nBcc: victim@example.com',
      'x\nSubject: other\n\nbody',
      '"><script>alert(1)</script>',
      '{{ link }} {% include "/etc/passwd" %}',
      'a,b@c.example <d@e.example>; "',
      'x\0y',
      '=?utf-8?Q?x=0D=0ABcc:=20victim@example.com?=',
    ),
  )

  test('no header comes of it, and no element of HTML', async () => {
    const plain = await arrived('anna@example.com', sender)
    const names = [...plain.mail.headers.keys()].sort()
    const tags = String(plain.mail.html).match(/<[^>]*/g)?.length
    await fc.assert(
      fc.asyncProperty(hostile, async (name) => {
        const user = { username: name, first_name: name, last_name: name, email: name, display_name: name }
        const { mail } = await arrived(
          'anna@example.com',
          sender,
          variables({ site_name: name, deletion_date: null }, user),
        )
        expect([...mail.headers.keys()].sort()).toEqual(names)
        expect(mailboxes(mail.to)).toEqual([{ name: '', address: 'anna@example.com' }])
        expect(mail.subject).toMatch(/^Please confirm your email address for\P{Cc}*$/u)
        expect(String(mail.html).match(/<[^>]*/g)?.length).toBe(tags)
      }),
      { numRuns: 150 },
    )
  })

  test.each([
    [['Anna', 'anna99'], 'Anna'],
    [['', 'anna99'], 'anna99'],
    [[null, undefined], null],
    [['Jean-Luc O’Neil Jr.'], 'Jean-Luc O’Neil Jr.'],
    [['Анна Каренина'], 'Анна Каренина'],
    [['Win at evil.example', 'www spam'], null],
    [['evil.com'], null],
    [['claim your prize now and here'], null],
    [['a'.repeat(41), 'x@y.example', 'a\r\nb', 'https://x'], null],
  ])('%j is printed as %j', (names, printed) => {
    expect(displayName(names)).toBe(printed)
  })
})

describe('the sender', () => {
  test.each([
    ['mail@site.example', { name: '', address: 'mail@site.example' }],
    ['The Site <mail@site.example>', { name: 'The Site', address: 'mail@site.example' }],
    ['"Site, The" <mail@site.example>', { name: 'Site, The', address: 'mail@site.example' }],
  ])('%s', (text, mailbox) => {
    expect(mailboxFrom(text)).toEqual(mailbox)
  })

  test.each([
    '',
    'The Site',
    'a@b.example, c@d.example',
    'a@b.example\r\nBcc: c@d.example',
    'Friends: a@b.example;',
  ])('%j is refused', async (text) => {
    expect(await wordsOf(async () => mailboxFrom(text))).toMatchObject({ kind: 'invalid' })
  })

  test.each(['http://site.example/', 'site.example', 'https://a>\r\nBcc: x@y.example', 'mailto:a b'])(
    'cannot be unsubscribed from at %j',
    async (text) => {
      expect(await wordsOf(async () => listUnsubscribeFrom(text))).toMatchObject({ kind: 'invalid' })
    },
  )
})

test('text is wrapped at spaces, and links stay whole', () => {
  const link = `https://site.example/${'x'.repeat(200)}`
  const text = `${'word '.repeat(40)}\r\n\r\n\r\n\r\n${link}\r\n  ${'indented '.repeat(20)}`
  const lines = wrapText(text).split('\n')
  expect(lines).toContain(link)
  expect(lines.filter((line) => line !== link).every((line) => line.length <= 76)).toBe(true)
  expect(lines.at(-2)).toMatch(/^ {2}indented/)
  expect(wrapText(text)).not.toMatch(/\n{3}/)
})
