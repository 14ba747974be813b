import type { Faker } from '@faker-js/faker'
import { type Account, OPENED } from './accounts.ts'

/** Under a reserved domain: no mail can ever reach anybody. */
const THROW_AWAY = ['trash-mail', 'ten-minutes', 'mail-drop', 'inbox-4u', 'nospam', 'x1'].map(
  (name) => `${name}.example`,
)
const BAIT = ['win-a-prize', 'cheap.watches', 'casino_bonus', 'seo-experts', 'free+followers', 'crypto.gains']

/** Returns accounts that no person made: they came in waves, and none has ever logged in. */
export function bots(faker: Faker): Account[] {
  const waves = faker.date.betweens({ from: OPENED, to: '2019-12-20T00:00:00Z', count: 12 })
  return Array.from({ length: 688 }, () => bot(faker, faker.helpers.arrayElement(waves)))
}

function bot(faker: Faker, wave: Date): Account {
  const domain = faker.helpers.arrayElement(THROW_AWAY)
  const mailbox = faker.string.alphanumeric({ length: { min: 6, max: 11 }, casing: 'lower' })
  return {
    username: botName(faker),
    email: `${mailbox}@${domain}`,
    joined: faker.date.soon({ days: 2, refDate: wave }),
  }
}

function botName(faker: Faker): string {
  return faker.helpers.weightedArrayElement([
    { weight: 5, value: faker.string.alphanumeric({ length: { min: 8, max: 14 } }) },
    { weight: 3, value: `${faker.helpers.arrayElement(BAIT)}${faker.number.int(9_999)}` },
    { weight: 2, value: `${faker.person.firstName()}${faker.string.numeric(6)}` },
    { weight: 1, value: `@${faker.string.alpha(5)}_${faker.string.alpha(5).toUpperCase()}` },
  ])
}
