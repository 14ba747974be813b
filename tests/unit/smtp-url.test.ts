import { describe, expect, test } from 'vitest'
import { shownServer, smtpServerFrom } from '../../src/mail/smtp-url.ts'
import { SECRET, wordsOf } from '../support/errors.ts'

function read(text: string, credentials = {}) {
  return smtpServerFrom(text, credentials, '/etc/usermgmt')
}

describe('the URL of a mail server', () => {
  test.each([
    ['smtp://mail.example', { host: 'mail.example', port: 587, tls: 'required' }],
    ['smtps://mail.example', { host: 'mail.example', port: 465, tls: 'implicit' }],
    ['smtp://mail.example:2525/?tls=off', { host: 'mail.example', port: 2525, tls: 'off' }],
    ['smtp://mail.example?tls=optional&ca=/ca.pem', { tls: 'optional', ca: '/ca.pem' }],
    ['smtp://mail.example?ca=ca.pem', { ca: '/etc/usermgmt/ca.pem' }],
    ['smtp://ann%40example.com:p%3Aw%2F@mail.example', { user: 'ann@example.com', password: 'p:w/' }],
    ['smtp://[::1]:25', { host: '::1', port: 25, tls: 'required', user: undefined, password: undefined }],
  ])('%s', (text, server) => {
    expect(read(text)).toMatchObject(server)
  })

  test('takes what it leaves out of the login from elsewhere', () => {
    const credentials = { user: 'env', password: SECRET }
    expect(read('smtp://mail.example', credentials)).toMatchObject(credentials)
    expect(read('smtp://ann@mail.example', credentials)).toMatchObject({ user: 'ann', password: SECRET })
    expect(read('smtp://ann:pw@mail.example', credentials)).toMatchObject({ user: 'ann', password: 'pw' })
  })

  test.each([
    [`http://u:${SECRET}@mail.example`, /cannot be read/],
    [SECRET, /cannot be read/],
    [`smtp://u:${SECRET}@`, /cannot be read/],
    [`smtp://u:${SECRET}@mail.example/path`, /cannot be read/],
    [`smtp://u:12#${SECRET}@mail.example`, /cannot be read/],
    [`smtp://u:12?${SECRET}@mail.example`, /unknown parameter$/],
    [`smtp://u:${SECRET}@mail.example?TLS=off`, /unknown parameter \(did you mean tls\?\)/],
    [`smtp://u:${SECRET}@mail.example?tls=${SECRET}`, /a tls that does not exist$/],
    [`smtps://u:${SECRET}@mail.example?tls=off`, /always encrypted/],
    [`smtp://:${SECRET}@mail.example`, /without a user name/],
    ['smtp://u@mail.example', /without a password/],
    [`smtp://u:${SECRET}@mail.example?tls=optional`, /for all to read/],
    [`smtp://u:${SECRET}%@mail.example`, /a % that is not %25/],
  ])('%s is none, and is not shown', async (text, message) => {
    const error = await wordsOf(async () => read(text))
    expect(error).toMatchObject({ kind: 'invalid', message: expect.stringMatching(message) })
  })

  test('is shown without user and password', () => {
    expect(shownServer(read(`smtp://u:${SECRET}@mail.example`))).toBe('mail.example:587')
    expect(shownServer(read('smtp://[::1]:25'))).toBe('[::1]:25')
  })
})
