import { describe, expect, it } from 'vitest'
import { emailProblem, normalizeEmail } from '../../src/django/email.ts'

it('normalises as allauth stores: trimmed, lower case on both sides of the @', () => {
  expect(normalizeEmail(' Ada.King@Example.COM\n')).toBe('ada.king@example.com')
})

describe('emailProblem', () => {
  it.each([
    'ada@example.com',
    "a.b+c_d-e!#$%&'*/=?^`{|}~@example.co.uk",
    'ada@localhost',
    '"a\\ b"@example.com',
    '"a@b"@example.com',
    '""@example.com',
    'ada@[127.0.0.1]',
    'ada@[2001:db8::1]',
    'ada@[::ffff:127.0.0.1]',
    'ada@müller.example',
    'ada@例え.テスト',
    'ada@xn--mller-kva.example',
    `ada@${'a'.repeat(63)}.com`,
    'ada@example.a1',
    `${'a'.repeat(242)}@example.com`,
  ])('accepts %s', (email) => {
    expect(emailProblem(email)).toBeUndefined()
  })

  it.each([
    '',
    'ada',
    '@example.com',
    'ada@',
    'ada@example',
    'ada@LOCALHOST',
    'ada@example.c',
    'ada@example.com.',
    'ada@.com',
    'ada@-example.com',
    'ada@example-.com',
    'ada@example.com-',
    'ada@exam_ple.com',
    `ada@${'a'.repeat(64)}.com`,
    '.ada@example.com',
    'ada.@example.com',
    'a..b@example.com',
    'a b@example.com',
    '"a b"@example.com',
    'a"b@example.com',
    'ådä@example.com',
    '\u212aim@example.com',
    'ada@example.com\n',
    'ada@[127.0.0.256]',
    'ada@[127.0.0.01]',
    'ada@[::1%eth0]',
    'ada@127.0.0.1]',
    'ada@122',
    'ada@1。22',
    'ada@mü%6cler.example',
    'ada@mü ller.example',
    'ada@mü/x.example',
    `ada@${'ü'.repeat(63)}.com`,
    'ada@example.com,bob@example.com ',
  ])('refuses %j', (email) => {
    expect(emailProblem(email)).toBe('Enter a valid email address.')
  })

  it('keeps to the length of the column', () => {
    expect(emailProblem(`${'a'.repeat(243)}@example.com`)).toBe(
      'Ensure this value has at most 254 characters (it has 255).',
    )
    expect(emailProblem('ada@example.com', 10)).toMatch(/at most 10/)
  })
})
