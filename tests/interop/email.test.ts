import { mkdtemp, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { simpleParser } from 'mailparser'
import { beforeAll, describe, expect, test } from 'vitest'
import { usermgmt } from '../cli/run.ts'
import { withDirectory } from '../support/directory.ts'
import type { Confirmed, SignedUp } from './answers.ts'
import { describeEachSite } from './each-database.ts'
import { djangoSite, type Site } from './site-runner.ts'

const PASSWORD = 'correct horse battery'
const SECRET_KEY = 'the secret key of this site, with ünïcode and a $ign'
const PEOPLE = ['ann', 'bob']

let directory: string
withDirectory(beforeAll, (path) => {
  directory = path
})

/** Runs the command line, now: a link is as old as the clock says. */
async function run(site: Site, ...args: string[]): Promise<string> {
  const env = { USERMGMT_SECRET_KEY: SECRET_KEY }
  const ran = await usermgmt(['--database', site.database, ...args], { cwd: directory, env, now: new Date() })
  expect(ran).toMatchObject({ exit: 0 })
  return ran.stdout
}

const confirm = (url = '') => ({ args: ['confirm', '--url', url] })

const LINK = ['--site-url', 'https://site.example']

/** Mails everybody; returns the link of each mail by the name of its user. */
async function mailedLinks(site: Site, ...args: string[]): Promise<Map<string, string>> {
  const outbox = await mkdtemp(join(directory, 'outbox-'))
  const sending = ['--from', 'forum@site.example', '--outbox', outbox, '--rate', '0']
  await run(site, 'migrate')
  await run(site, 'email', '--grace', '0', '--since', '1h', ...sending, ...LINK, '--yes', ...args)
  const links = new Map<string, string>()
  for (const name of await readdir(outbox)) {
    const { to, text = '' } = await simpleParser(await readFile(join(outbox, name)))
    const [{ text: address = '' } = {}] = [to].flat()
    links.set(address.replace(/@.*/, ''), /https:\S+\/accounts\/\S+/.exec(text)?.[0] ?? '')
  }
  return links
}

describeEachSite('a mailed link', (databases) => {
  describe.each([
    ['hmac', 'on'],
    ['database', 'off'],
  ])('of kind %s', (confirmation, hmac) => {
    async function siteWithPeople(): Promise<Site> {
      const env = { SITE_CONFIRMATION_HMAC: hmac, SITE_SECRET_KEY: SECRET_KEY }
      const site = djangoSite({ database: await databases.migrated(), env })
      const signUps = PEOPLE.map((name) => ({
        args: ['signup', '--username', name, '--email', `${name}@example.com`, '--password', PASSWORD],
      }))
      for (const signedUp of await site.askAll<SignedUp[]>(signUps)) expect(signedUp.created).toBe(true)
      return site
    }

    test('verifies the address of its recipient, once', async () => {
      const site = await siteWithPeople()
      const links = await mailedLinks(site, '--confirmation', confirmation)
      expect([...links.keys()].sort()).toEqual(PEOPLE)
      const [ann, again, bob] = await site.askAll<Confirmed[]>([
        confirm(links.get('ann')),
        confirm(links.get('ann')),
        confirm(links.get('bob')),
      ])
      expect(ann).toMatchObject({ get_status: 200, post_status: 302, addresses: ['ann@example.com'] })
      expect(again).toMatchObject({ verified: false })
      expect(bob).toMatchObject({ addresses: ['bob@example.com'] })
    })

    test('that link prints verifies as well', async () => {
      const site = await siteWithPeople()
      const link = await run(site, 'link', 'bob', ...LINK, '--confirmation', confirmation)
      const confirmed = await site.ask<Confirmed>(confirm(link.trim()).args)
      expect(confirmed).toMatchObject({ verified: true, addresses: ['bob@example.com'] })
    })
  })

  test('that was signed with another key verifies nothing', async () => {
    const database = await databases.migrated()
    const site = djangoSite({ database, env: { SITE_SECRET_KEY: 'another' } })
    await site.ask<SignedUp>([
      ...['signup', '--username', 'ann', '--email', 'ann@example.com', '--password', PASSWORD],
    ])
    const links = await mailedLinks(site)
    expect(await site.ask<Confirmed>(confirm(links.get('ann')).args)).toMatchObject({ verified: false })
  })
})
