import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { beforeEach, describe, expect, test } from 'vitest'
import { linkTemplateFrom, siteUrlFrom } from '../../src/mail/link-template.ts'
import { secretKey } from '../../src/mail/secret-key.ts'
import { withDirectory } from '../support/directory.ts'
import { wordsOf } from '../support/errors.ts'

describe('a link template', () => {
  test.each([
    [
      'https://site.example/accounts/confirm-email/{key}/',
      'https://site.example/accounts/confirm-email/a%3Ab/',
    ],
    ['http://localhost:8000/en/confirm/{key}', 'http://localhost:8000/en/confirm/a%3Ab'],
    ['https://app.example/#/verify?key={key}', 'https://app.example/#/verify?key=a%3Ab'],
    ['https://bücher.example/{key}', 'https://xn--bcher-kva.example/a%3Ab'],
  ])('%s', (template, url) => {
    expect(linkTemplateFrom(template)).toMatchObject({ hasKey: true })
    expect(linkTemplateFrom(template).fill('a:b')).toBe(url)
  })

  test('of a page without a key', () => {
    expect(linkTemplateFrom('https://site.example/accounts/login/')).toMatchObject({ hasKey: false })
  })

  test('any key comes back from the URL', () => {
    const template = linkTemplateFrom('https://site.example/confirm/{key}/')
    fc.assert(
      // Dots alone are a step in a path, whatever is done to them; no key is.
      fc.property(
        fc.string({ minLength: 1 }).filter((key) => !/^\.+$/.test(key)),
        (key) => {
          expect(decodeURIComponent(new URL(template.fill(key)).pathname.split('/')[2] ?? '')).toBe(key)
        },
      ),
    )
  })

  test.each([
    ['site.example/{key}', /is not a URL/],
    ['javascript:alert({key})', /is not a URL/],
    ['https://site.example/{key} {key}', /more than one/],
    ['https://site.example/a b/{key}', /is not a URL/],
    ['https://{key}.example/', /name of the host/],
    ['https://me:secret@site.example/{key}', /must not hold a password/],
  ])('%s is refused', async (template, message) => {
    const error = await wordsOf(async () => linkTemplateFrom(template))
    expect(error.message).toMatch(message)
    expect(error.kind).toBe('invalid')
    expect(error.message).not.toContain('secret')
  })
})

test.each([
  ['https://site.example', 'https://site.example/'],
  ['https://site.example/shop', 'https://site.example/shop/'],
])('the site URL %s', (text, url) => {
  expect(siteUrlFrom(text).href).toBe(url)
})

test('a site URL has no query', async () => {
  expect((await wordsOf(async () => siteUrlFrom('https://site.example/?a=b'))).message).toMatch(/no query/)
})

describe('the secret key', () => {
  let file: string
  withDirectory(beforeEach, (directory) => {
    file = join(directory, 'key')
  })

  test.each([
    ['key', 'key'],
    ['key\n', 'key'],
    ['key\r\n', 'key'],
    [' clé-✓ \n', ' clé-✓ '],
  ])('in the file %j is %j', async (content, secret) => {
    await writeFile(file, content)
    expect(await secretKey(file, 'another')).toBe(secret)
  })

  test('in the environment', async () => {
    expect(await secretKey(undefined, 'key\n')).toBe('key')
  })

  test.each([
    ['', /is empty/],
    ['\n', /is empty/],
    ['key\n\n', /more than one line/],
    ["SECRET_KEY = 'key'\n", /an assignment/],
    [Buffer.from([0xff, 0xfe, 0x41]), /not UTF-8/],
  ])('%j is refused', async (content, message) => {
    await writeFile(file, content)
    const error = await wordsOf(() => secretKey(file, undefined))
    expect(error.message).toMatch(message)
    expect(error.kind).toBe('invalid')
  })

  test('that is missing', async () => {
    expect((await wordsOf(() => secretKey(file, undefined))).message).toMatch(
      /cannot be read from .*: there is no such file/,
    )
    expect(await wordsOf(() => secretKey(undefined, undefined))).toMatchObject({
      kind: 'invalid',
      hint: expect.stringContaining('--secret-key-file'),
    })
    expect((await wordsOf(() => secretKey(undefined, ''))).message).toMatch(/is empty/)
  })
})
