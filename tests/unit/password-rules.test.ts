import { expect, it } from 'vitest'
import {
  newPasswordProblems,
  type PasswordAttributes,
  passwordProblems,
} from '../../src/django/password-rules.ts'

const similar = (name: string) => `The password is too similar to the ${name}.`
const short = 'This password is too short. It must contain at least 8 characters.'
const common = 'This password is too common.'
const numeric = 'This password is entirely numeric.'

const cases: [password: string, attributes: PasswordAttributes, problems: string[]][] = [
  ['correct horse battery', {}, []],
  ['correct horse battery', { username: 'ada', firstName: null, lastName: '', email: 'ada@example.com' }, []],
  ['', {}, [short]],
  ['x7!kQ2z', {}, [short]],
  ['x7!kQ2z9', {}, []],
  ['x7!kQ2😀', {}, [short]], // 8 UTF-16 units, 7 characters
  ['  PassWord1 ', {}, [common]],
  ['\u001fpassword1\u0085', {}, [common]],
  ['password1\ufeff', {}, []],
  ['12345678', {}, [common, numeric]],
  ['7304951826', {}, [numeric]],
  ['٧٣٠٤٩٥١٨٢', {}, [numeric]],
  ['123', {}, [short, common, numeric]],
  ['lovelace1815', { lastName: 'Lovelace' }, [similar('last name')]],
  ['ecalevol42', { username: 'lovelace', lastName: 'Lovelace' }, [similar('username')]], // any order of letters
  ['Lovelace!!', { firstName: 'Lovelace' }, [similar('first name')]],
  ['analytical-engine', { email: 'ada@analyticalengine.example' }, [similar('email address')]],
  ['aaaabbbbcccc', { username: 'aabbcc' }, []], // 6 shared: 12/18 < 0.7
  ['aabbccddee', { username: 'aabbccd99z' }, [similar('username')]], // 7 shared: 14/20 = 0.7
]

it.each(cases)('%j for %j: %j', async (password, attributes, problems) => {
  expect(await passwordProblems(password, attributes)).toEqual(problems)
})

// Python: ''.join(chr(i) for i in range(0x110000) if chr(i).isspace())
const spaces =
  '\t\n\v\f\r\u001c\u001d\u001e\u001f \u0085\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000'

it.each([...spaces])('no login page takes a password with %j at an end', async (space) => {
  const problems = ['It begins or ends with white space, which login pages take away.']
  expect(await newPasswordProblems(`${space}x7!kQ2z9`, {})).toEqual(problems)
  expect(await newPasswordProblems(`x7!kQ2z9${space}`, {})).toEqual(problems)
})

it.each(['\ufeff', '\u200b', '\u0007', '\u0000'])('%j is no white space to Python', async (character) => {
  const problems = character === '\u0000' ? ['Null characters are not allowed.'] : []
  expect(await newPasswordProblems(`x7!kQ2z9${character}`, {})).toEqual(problems)
})
