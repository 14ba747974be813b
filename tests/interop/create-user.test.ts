import { expect, test } from 'vitest'
import { usermgmt } from '../cli/run.ts'
import type { LoggedIn } from './answers.ts'
import { describeEachSite } from './each-database.ts'
import { djangoSite } from './site-runner.ts'

const PASSWORD = 'pässwörd ✓ battery'

/** Creates a user with the password and lets Django log in; the last word of `args` is the username. */
async function created(database: string, args: string): Promise<void> {
  const ran = await usermgmt(['--database', database, 'create-user', ...args.split(' ')], {
    stdin: `${PASSWORD}\n`,
  })
  expect(ran).toMatchObject({ exit: 0, stdout: expect.stringMatching(/^created /) })
}

function login(user: string, password = PASSWORD) {
  return { args: ['login', '--user', user, '--password', password] }
}

describeEachSite('a user that create-user makes', (databases) => {
  test('logs in through Django and, by username and by address, through allauth', async () => {
    const site = djangoSite({ database: await databases.migrated() })
    await site.manage(['shell', '-c', GROUPS])
    await created(
      site.database,
      'Ann --email Ann.Lee@Example.com --password-stdin --verified --group editors',
    )
    await created(site.database, '--email bob@example.com --password-stdin --verified')
    await created(site.database, 'ünïcode --email u@example.com --password-stdin --verified')
    const answers = await site.askAll<LoggedIn[]>([login('Ann'), login('bob'), login('ünïcode')])
    // Django 3.2 wants fewer iterations, and hashes the password again.
    const worked = { authenticate: true, allauth_username: true, allauth_email: true, last_login_set: true }
    expect(answers).toEqual([
      { ...worked, rehashed: true, groups: ['editors'] },
      { ...worked, rehashed: true, groups: [] },
      { ...worked, rehashed: true, groups: [] },
    ])
  })

  test('logs in only when and as far as it may', async () => {
    const site = djangoSite({ database: await databases.migrated() })
    await created(site.database, 'unverified --email unverified@example.com --password-stdin')
    await created(
      site.database,
      'inactive --email inactive@example.com --password-stdin --verified --inactive',
    )
    await created(site.database, 'closed --email closed@example.com --no-password --verified')
    const answers = await site.askAll<LoggedIn[]>([
      login('unverified'),
      login('inactive'),
      login('closed'),
      login('unverified', `${PASSWORD} `),
    ])
    const refused = { allauth_username: false, allauth_email: false, last_login_set: false }
    expect(answers).toMatchObject([
      { ...refused, authenticate: true },
      { ...refused, authenticate: false },
      { ...refused, authenticate: false },
      { ...refused, authenticate: false },
    ])
  })

  test('is what Django itself would have made', async () => {
    const site = djangoSite({ database: await databases.migrated() })
    await created(site.database, 'tool --email tool@example.com --password-stdin --first-name T --superuser')
    const described = await site.manage(['shell', '-c', DESCRIBE])
    expect(JSON.parse(described)).toEqual({
      clean: true,
      superuser: true,
      usable: true,
      same_types: true,
      next_id: true,
    })
  })

  test('blocks the sign-up of somebody with its address or username', async () => {
    const site = djangoSite({ database: await databases.migrated() })
    await created(site.database, 'Taken --email taken@example.com --no-password')
    const signup = (username: string, email: string) => ({
      args: ['signup', '--username', username, '--email', email, '--password', PASSWORD],
    })
    expect(
      await site.askAll<object[]>([
        signup('tAKEN', 'new@example.com'),
        signup('new', 'Taken@Example.com'),
        signup('new', 'new@example.com'),
      ]),
    ).toMatchObject([{ created: false }, { created: false }, { created: true }])
  })
})

const GROUPS = "from django.contrib.auth.models import Group; Group.objects.create(name='editors')"

/** Against a user of create_superuser(): validation by the model, and the types that the driver gives back. */
const DESCRIBE = `
import json
from django.contrib.auth.models import User
from allauth.account.models import EmailAddress
made = User.objects.get(username='tool')
made.full_clean()
address = EmailAddress.objects.get(user=made)
address.full_clean()
other = User.objects.create_superuser('django', 'django@example.com', 'x')
ours, theirs = (User.objects.filter(pk=user.pk).values().get() for user in (made, other))
print(json.dumps({
    'clean': True,
    'superuser': made.is_superuser and made.is_staff and made.is_active,
    'usable': made.has_usable_password(),
    'same_types': {key: type(value) for key, value in ours.items()} == {key: type(value) for key, value in theirs.items()},
    'next_id': other.pk == made.pk + 1,
}))
`
