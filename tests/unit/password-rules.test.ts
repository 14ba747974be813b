import { expect, it } from 'vitest'
import { type PasswordAttributes, passwordProblems } from '../../src/django/password-rules.ts'

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
