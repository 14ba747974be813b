import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { SMTPServer } from 'smtp-server'
import { packageRoot } from '../../src/package-root.ts'
import { botsAmong, CUTOFF } from './crowd.ts'
import { type Command, type Measured, median, timed } from './measure.ts'
import type { Bench } from './section.ts'
import { type SiteDatabase, usermgmt } from './site-databases.ts'

const USERS = 30_000
const CONNECTIONS = 5
const POOL = 1.5
/** The more there is to do, the later Node sweeps its heap; what is in use does not grow. */
const MEMORY = 1.25

/** Reminds the bots, and sends as many such mails through a pool of nodemailer that does nothing else. */
export async function measureMail(bench: Bench): Promise<void> {
  const { databases, report } = bench
  const server = await acceptingServer()
  try {
    const users = Math.min(bench.users, USERS)
    const pool = await figure(bench, 'a bare pool of nodemailer', users, async () => {
      const measured = await timed(barePool(server.port, botsAmong(users)))
      server.expect(botsAmong(users))
      return measured
    })
    const campaign = (size: number) =>
      figure(bench, 'email', size, async () => {
        const database = await databases.withCrowd(size)
        await timed(usermgmt(database.url, 'migrate', '--quiet'))
        const measured = await timed(email(database, server.port))
        server.expect(botsAmong(size))
        await database.drop()
        return measured
      })
    const some = await campaign(users)
    const many = await campaign(3 * users)
    report.goal({
      database: databases.kind,
      what: 'email to a bare pool',
      limit: { atMost: POOL },
      reached: some.seconds / pool.seconds,
    })
    report.goal({
      database: databases.kind,
      what: 'peak memory of three times the mails',
      limit: { atMost: MEMORY },
      reached: ratio(many.peakMegabytes, some.peakMegabytes),
    })
  } finally {
    await server.close()
  }
}

function ratio(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? undefined : a / b
}

async function figure(
  { databases, report, repeat }: Bench,
  what: string,
  users: number,
  work: () => Promise<Measured>,
): Promise<Measured> {
  const runs: Measured[] = []
  for (let run = 0; run < repeat; run++) runs.push(await work())
  const seconds = runs.map((run) => run.seconds)
  const peaks = runs.flatMap(({ peakMegabytes }) => peakMegabytes ?? [])
  const peakMegabytes = peaks.length > 0 ? Math.max(...peaks) : undefined
  report.figure({ database: databases.kind, users, what, seconds, peakMegabytes, worked: botsAmong(users) })
  return { seconds: median(seconds), peakMegabytes }
}

function email({ url }: SiteDatabase, port: number): Command {
  const link = ['--site-url', 'https://site.example']
  const how = ['--from', 'forum@site.example', '--rate', '0', '--concurrency', String(CONNECTIONS)]
  const smtp = ['--smtp-url', `smtp://127.0.0.1:${port}?tls=off`]
  const command = usermgmt(url, 'email', '--since', CUTOFF, '--yes', '--quiet', ...link, ...how, ...smtp)
  return { ...command, env: { ...process.env, USERMGMT_SECRET_KEY: 'not a secret' } }
}

/** Text and HTML of about the size of a reminder, the headers that it has, and nobody who looks after it. */
const POOL_SCRIPT = `
import nodemailer from 'nodemailer'
const [port, mails, connections] = process.argv.slice(-3).map(Number)
const pool = nodemailer.createTransport({ host: '127.0.0.1', port, pool: true, maxConnections: connections, ignoreTLS: true })
const text = 'A line of the reminder, and some words more than that.\\n'.repeat(14)
const html = '<p style="margin:0 0 20px;font-size:14px">A line of the reminder, and some words.</p>\\n'.repeat(90)
await Promise.all(Array.from({ length: mails }, (_, i) => pool.sendMail({
  from: 'forum@site.example', to: 'user' + i + '@example.com', subject: 'Please confirm your email address',
  headers: { 'Auto-Submitted': 'auto-generated' }, text, html, encoding: 'quoted-printable',
})))
pool.close()`

function barePool(port: number, mails: number): Command {
  const args = ['--input-type=module', '-e', POOL_SCRIPT, '--', ...[port, mails, CONNECTIONS].map(String)]
  return { program: process.execPath, args, cwd: packageRoot().pathname }
}

/** A mail server that takes everything at once; it has this process for itself. */
async function acceptingServer() {
  let taken = 0
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    disableReverseLookup: true,
    logger: false,
    onData(stream, _session, done) {
      stream.on('end', () => {
        taken += 1
        done()
      })
      stream.resume()
    },
  })
  server.on('error', () => {})
  server.listen(0, '127.0.0.1')
  await once(server.server, 'listening')
  return {
    port: (server.server.address() as AddressInfo).port,
    /** Throws when not exactly so many mails have come since the last time. */
    expect(mails: number): void {
      if (taken !== mails) throw new Error(`${taken} mails have come, not ${mails}`)
      taken = 0
    },
    close: () => new Promise<void>((resolve) => server.close(() => resolve())),
  }
}
