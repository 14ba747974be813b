import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type ParsedMail, simpleParser } from 'mailparser'
import type { Harness } from '../support/databases.ts'
import { directoryOfTest } from '../support/directory.ts'
import { siteIn, type TestSite } from '../support/sites.ts'
import { exampleSite } from './example-site.ts'
import { type Ran, type Situation, usermgmt } from './run.ts'

export const SENDER = ['--from', 'Forum <forum@site.example>', '--site-url', 'https://site.example']

export interface MailingSite {
  readonly site: TestSite
  readonly directory: string
  /** Runs a command line in the directory: words, as in a shell without quotes. */
  run(args: string | readonly string[], situation?: Situation): Promise<Ran>
  /** Runs `email` with what it needs to say, into the directory `outbox` unless another way is given. */
  email(args: string, situation?: Situation): Promise<Ran>
  /** Returns the mails in the outbox, by recipient. */
  outbox(): Promise<Map<string, ParsedMail>>
}

/** The example site, with a ledger unless `bare`, and a directory that holds its secret key. */
export async function mailingSite(harness: Harness, { bare = false } = {}): Promise<MailingSite> {
  const { database, url } = await exampleSite(harness)
  const directory = await directoryOfTest()
  await writeFile(join(directory, 'secret-key.txt'), 'secret\n')
  const run = (args: string | readonly string[], situation: Situation = {}) =>
    usermgmt(typeof args === 'string' ? args.split(' ') : args, {
      cwd: directory,
      ...situation,
      env: { DATABASE_URL: url, ...situation.env },
    })
  if (!bare) await run('migrate --quiet')
  const common = ['email', '--since', '2020-01-01', ...SENDER, '--secret-key-file', 'secret-key.txt']
  return {
    site: await siteIn(database),
    directory,
    run,
    email: (args, situation) => run([...common, ...args.split(' ')], situation),
    outbox: async () => {
      const names = await readdir(join(directory, 'outbox')).catch(() => [])
      const mails = new Map<string, ParsedMail>()
      for (const name of names) {
        const mail = await simpleParser(await readFile(join(directory, 'outbox', name)))
        mails.set(recipientOf(mail), mail)
      }
      return mails
    },
  }
}

/** Returns the one address that the mail goes to. */
export function recipientOf({ to }: ParsedMail): string {
  const addresses = [to].flat().flatMap((each) => each?.value ?? [])
  return addresses.map(({ address }) => address).join(', ')
}

/** Writes files of these names and texts into the directory, which is made. */
export async function writeFiles(
  directory: string,
  files: Readonly<Record<string, string | Buffer>>,
): Promise<void> {
  await mkdir(directory, { recursive: true })
  for (const [name, content] of Object.entries(files)) await writeFile(join(directory, name), content)
}
