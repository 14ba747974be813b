import { eq, sql } from 'drizzle-orm'
import { dateOf } from '../../src/django/datetime.ts'
import { LedgerRun } from '../../src/ledger/run.ts'
import { type CampaignSettings, runCampaign } from '../../src/mail/campaign.ts'
import { planCampaign } from '../../src/mail/campaign-plan.ts'
import type { CampaignReport } from '../../src/mail/campaign-report.ts'
import { linkTemplateFrom } from '../../src/mail/link-template.ts'
import type { Message } from '../../src/mail/message.ts'
import { reminderRenderer } from '../../src/mail/reminder-templates.ts'
import type { MailOutcome, Transport } from '../../src/mail/transport.ts'
import { migrate } from '../../src/site/migrate.ts'
import type { Criteria } from '../../src/users/criteria.ts'
import { graceStart } from '../../src/values/dates.ts'
import type { Limit } from '../../src/values/limit.ts'
import { NOW, testClock } from './clock.ts'
import { criteria } from './criteria.ts'
import type { Harness } from './databases.ts'
import { createSite, insert, rowsOf, type SiteName, siteIn, type TestSite } from './sites.ts'
import { addUser } from './users.ts'

export const SECRET = 'the key of the site'
const TEMPLATE = linkTemplateFrom('https://site.example/confirm/{key}/')
const LINKS = { kind: 'hmac', template: TEMPLATE, days: 3, secret: SECRET } as const
export const DATABASE_LINKS = { kind: 'database', template: TEMPLATE, days: 3 } as const

/** A site with the tool's own tables. */
export async function siteWithLedger(
  harness: Harness,
  name: SiteName = 'django5.2-allauth65',
  tables = '',
): Promise<TestSite> {
  const site = await createSite(harness, name, tables)
  await migrate(site.db)
  return siteIn(site.database)
}

/** A mail server that answers what it is told, mail by mail; `sent` when it is told nothing. */
export class TestTransport implements Transport {
  readonly sent: Message[] = []
  /** All it was given, in order. */
  readonly tried: string[] = []
  private readonly answer: (
    address: string,
    attempt: number,
  ) => Promise<MailOutcome['kind'] | Error | undefined>

  constructor(
    answer: (
      address: string,
      attempt: number,
    ) => MailOutcome['kind'] | Error | undefined | Promise<undefined> = () => undefined,
  ) {
    this.answer = async (address, attempt) => answer(address, attempt)
  }

  async send(message: Message): Promise<MailOutcome> {
    const [address = ''] = message.envelope.to
    this.tried.push(address)
    const attempt = this.tried.filter((each) => each === address).length
    const kind = (await this.answer(address, attempt)) ?? 'sent'
    if (kind instanceof Error) throw kind
    if (kind === 'sent') this.sent.push(message)
    return { kind, reply: `250 ${kind}` }
  }

  async close(): Promise<void> {}

  addresses(): string[] {
    return this.sent.flatMap(({ envelope }) => envelope.to).sort()
  }
}

export interface CampaignParts
  extends Partial<Omit<CampaignSettings, 'rules' | 'run' | 'transport' | 'failureLimit'>> {
  readonly criteria?: Criteria
  readonly at?: string
  readonly againAfter?: string
  readonly maxReminders?: number
  readonly retryUncertain?: boolean
  readonly maxFailures?: Limit | undefined
  /** After the plan was made. */
  readonly meanwhile?: () => Promise<unknown>
}

/** Plans and runs a campaign as the command does, and returns its report. */
export async function campaign(
  site: TestSite,
  transport: Transport,
  {
    criteria: asked = criteria(),
    at = NOW,
    againAfter = '7d',
    maxReminders = 3,
    ...parts
  }: CampaignParts = {},
): Promise<CampaignReport> {
  const clock = parts.clock ?? testClock(at)
  const { retryUncertain, meanwhile, maxFailures, ...settings } = parts
  const rules = {
    remindedAfter: graceStart(againAfter, { now: dateOf(at), zone: 'UTC' }),
    maxReminders,
    retryUncertain,
  }
  const plan = await planCampaign(site, asked, rules, { namesDate: settings.deletionDate !== undefined })
  await meanwhile?.()
  const facts = { command: 'email', options: {}, actor: 'ann', host: 'web1', version: '1.0.0' }
  const run = await LedgerRun.begin(site.db, facts, { lock: 'campaign', now: clock.now })
  const report = await runCampaign(site, asked, plan, {
    links: LINKS,
    composer: {
      render: await reminderRenderer(undefined, 'UTC'),
      sender: { from: { name: 'Example', address: 'forum@site.example' } },
      facts: { url: new URL('https://site.example/'), name: 'Example' },
      linkConfirms: true,
    },
    concurrency: 5,
    failureLimit: { max: maxFailures, setting: '--max-failures' },
    clock,
    ...settings,
    run,
    rules,
    transport,
  })
  await run.end({ outcome: 'done', counts: {} })
  return report
}

/** Returns the rows of all reminders, in the order in which they were written. */
export async function reminders(site: TestSite) {
  return rowsOf(site.db, 'usermgmt_reminder')
}

/** Verifies the address, as its owner does. */
export async function verify(site: TestSite, email: string): Promise<void> {
  const { emailAddresses: address } = site.tables
  await site.db.update(address).set({ verified: true }).where(eq(address.email, email))
}

export interface RecordedReminder {
  readonly user: string
  readonly email: string
  readonly status?: string
  readonly finishedAt?: string
  readonly at?: string
  readonly deletionAt?: string
}

/** Writes a reminder of an earlier run into the ledger. */
export async function recordReminder(
  site: TestSite,
  {
    user,
    email,
    status = 'sent',
    at = '2025-05-01T00:00:00Z',
    finishedAt = at,
    deletionAt,
  }: RecordedReminder,
): Promise<void> {
  const { dialect } = site.db
  const runs = await rowsOf(site.db, 'usermgmt_run')
  if (!runs.some(({ id }) => id === 'earlier')) {
    const facts = { command: 'email', options: '{}', actor: 'ann', host: 'web1', version: '1' }
    await insert(site, 'usermgmt_run', { id: 'earlier', ...facts, started_at: at })
  }
  const [hash] = await site.db.rows<{ hash: string }>(
    sql`select ${dialect.sha256(dialect.foldCase(sql`cast(${email} as text)`))} as hash`,
  )
  await insert(site, 'usermgmt_reminder', {
    run_id: 'earlier',
    user_key: user,
    email_sha256: hash?.hash ?? '',
    address_key: user,
    status,
    created_at: at,
    finished_at: status === 'sending' ? null : finishedAt,
    deletion_at: deletionAt ?? null,
    attempts: 1,
  })
}

/** Adds users with addresses of these names, and returns their keys. */
export async function peopleOn(site: TestSite, ...names: string[]): Promise<string[]> {
  const keys: string[] = []
  for (const name of names) keys.push(await addUser(site, { username: name, email: `${name}@example.com` }))
  return keys
}

/** Returns what became of each mail, in the order in which they were written down. */
export async function statuses(site: TestSite): Promise<unknown[]> {
  return (await reminders(site)).map(({ status }) => status)
}
