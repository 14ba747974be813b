import type { Faker } from '@faker-js/faker'
import { type Account, CUTOFF, OPENED, REFERENCE } from './accounts.ts'

const PROVIDERS = ['google', 'github'] as const

/** Returns the people of the site: most have verified their address; the others are why guards exist. */
export function people(faker: Faker): Account[] {
  const some = (count: number, make: () => Account) => Array.from({ length: count }, make)
  return [
    { ...named(faker), username: 'admin', joined: OPENED, lastLogin: REFERENCE, ...SUPERUSER },
    ...some(5, () => ({ ...active(faker), verified: true, staff: true })),
    ...some(3, () => ({ ...lapsed(faker), staff: true })),
    ...some(1_010, () => writing(faker, { ...active(faker), verified: true }, 0.4)),
    ...some(64, () => active(faker)),
    ...some(88, () => lapsed(faker)),
    ...some(41, () => writing(faker, lapsed(faker), 1)),
    ...some(26, () => ({ ...lapsed(faker), secondAddress: faker.internet.exampleEmail().toLowerCase() })),
    ...some(33, () => ({ ...lapsed(faker), provider: faker.helpers.arrayElement(PROVIDERS) })),
    ...some(17, () => ({ ...lapsed(faker), deactivated: true })),
  ]
}

/** Returns people who have signed up in the days before `now` and not opened the mail yet. */
export function newcomers(faker: Faker, now: Date): Account[] {
  const sixDays = { from: new Date(now.getTime() - 6 * 86_400_000), to: now }
  return Array.from({ length: 24 }, () => ({ ...named(faker), joined: faker.date.between(sixDays) }))
}

const SUPERUSER = { verified: true, staff: true, superuser: true } as const

/** Somebody who was there after the cut-off. */
function active(faker: Faker): Account {
  const joined = faker.date.between({ from: OPENED, to: REFERENCE })
  const from = joined > CUTOFF ? joined : CUTOFF
  return { ...named(faker), joined, lastLogin: faker.date.between({ from, to: REFERENCE }) }
}

/** Somebody who tried the site, never verified the address and stayed away. */
function lapsed(faker: Faker): Account {
  const joined = faker.date.between({ from: OPENED, to: '2019-10-01T00:00:00Z' })
  return { ...named(faker), joined, lastLogin: faker.date.soon({ days: 60, refDate: joined }) }
}

function named(faker: Faker) {
  const firstName = faker.person.firstName()
  const lastName = faker.person.lastName()
  return {
    firstName,
    lastName,
    username: faker.internet.username({ firstName, lastName }).toLowerCase(),
    email: faker.internet.exampleEmail({ firstName, lastName }).toLowerCase(),
  }
}

/** With a few posts, at this probability. */
function writing(faker: Faker, account: Account, probability: number): Account {
  if (!faker.datatype.boolean(probability)) return account
  const posts = Array.from({ length: faker.number.int({ min: 1, max: 6 }) }, () => ({
    title: faker.lorem.sentence({ min: 3, max: 7 }),
    published: faker.date.between({ from: account.joined, to: account.lastLogin ?? account.joined }),
  }))
  return { ...account, posts }
}
