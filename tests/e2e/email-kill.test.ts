import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { beforeAll, expect, test } from 'vitest'
import { reminders, siteWithLedger } from '../support/campaign.ts'
import { addCrowd } from '../support/crowd.ts'
import { describeEachDatabase } from '../support/databases.ts'
import { withDirectory } from '../support/directory.ts'
import { rowsOf, type TestSite } from '../support/sites.ts'
import { type MailServer, startMailServer } from '../support/smtp.ts'

const BIN = fileURLToPath(new URL('../../bin/usermgmt.js', import.meta.url))
const USERS = 2_000
const KILLS = 8
/** Of a campaign; one that is killed has sent so many at the most. */
const LIMIT = 300
const MOST = 250

let directory: string
withDirectory(beforeAll, async (path) => {
  directory = path
  await writeFile(join(directory, 'secret-key.txt'), 'secret')
})

function startCampaign(site: TestSite, { port }: MailServer, ...more: string[]): ChildProcess {
  return start(site, '--smtp-url', `smtp://127.0.0.1:${port}?tls=off`, ...more)
}

/** In a process group of its own, as a shell starts a command. */
function start(site: TestSite, ...more: string[]): ChildProcess {
  const who = ['--since', '2020-01-01', '--yes', '--quiet', '--format', 'json']
  const link = ['--site-url', 'https://site.example', '--secret-key-file', 'secret-key.txt']
  const how = ['--from', 'forum@site.example', '--rate', '0']
  const args = [BIN, 'email', '--database', site.url, ...who, ...link, ...how, ...more]
  return spawn(process.execPath, args, {
    cwd: directory,
    stdio: ['ignore', 'pipe', 'ignore'],
    detached: true,
  })
}

async function ended(child: ChildProcess) {
  const [stdout, [exit]] = await Promise.all([text(child.stdout as Readable), once(child, 'close')])
  return { exit, report: stdout === '' ? undefined : JSON.parse(stdout) }
}

/** Returns who has been sent a mail by the ledger's account, and of whom it does not know. */
async function ledgerOf(site: TestSite) {
  const addresses = new Map((await rowsOf(site.db, 'account_emailaddress')).map((row) => [row.id, row.email]))
  const found = { sent: [] as unknown[], sending: [] as unknown[] }
  for (const { status, address_key } of await reminders(site)) {
    if (status !== 'sent' && status !== 'sending') throw new Error(`a reminder is ${status}`)
    found[status].push(addresses.get(address_key))
  }
  return found
}

/** Nobody has two mails, and the ledger knows of every mail, or says that it does not know. */
async function expectAgreement(site: TestSite, server: MailServer) {
  const mailed = server.mails.map(({ recipient }) => recipient)
  const { sent, sending } = await ledgerOf(site)
  expect(new Set(mailed).size).toBe(mailed.length)
  expect(new Set([...sent, ...sending]).size).toBe(sent.length + sending.length)
  const known = new Set(mailed)
  expect(sent.filter((address) => !known.has(String(address)))).toEqual([])
  const begun = new Set([...sent, ...sending])
  expect(mailed.filter((address) => !begun.has(address))).toEqual([])
  return { sent: sent.length, sending: sending.length }
}

describeEachDatabase('kill -9 during a campaign', (harness) => {
  test(`${KILLS} times: nobody gets two mails, and ledger, server and report agree`, async () => {
    const site = await siteWithLedger(harness)
    await addCrowd(site, USERS)
    const server = await startMailServer()
    for (let kill = 0; kill < KILLS; kill++) {
      const child = startCampaign(site, server, '--limit', String(LIMIT))
      const end = ended(child)
      const until = server.mails.length + Math.ceil(Math.random() * MOST)
      while (server.mails.length < until && child.exitCode === null) await pause(1)
      child.kill('SIGKILL')
      expect(await end).toMatchObject({ exit: null })
      await expectAgreement(site, server)
    }
    const before = await expectAgreement(site, server)
    const { exit, report } = await ended(startCampaign(site, server))
    expect(exit).toBe(0)
    expect(report).toMatchObject({ matched: USERS, failed: 0, bounced: 0, uncertain: 0, changed: 0 })
    const { reminded = 0, uncertain = 0 } = report.skipped
    expect({ reminded, uncertain }).toEqual({ reminded: before.sent, uncertain: before.sending })
    expect(report.sent).toBe(USERS - before.sent - before.sending)
    expect(await expectAgreement(site, server)).toEqual({
      sent: before.sent + report.sent,
      sending: before.sending,
    })

    const retried = await ended(startCampaign(site, server, '--retry-uncertain'))
    expect(retried).toMatchObject({ exit: 0, report: { sent: before.sending } })
    expect(new Set(server.mails.map(({ recipient }) => recipient)).size).toBe(USERS)
  })
})

describeEachDatabase('Ctrl-C during a campaign', (harness) => {
  test('finishes the mails at hand, and leaves nothing uncertain', async () => {
    const site = await siteWithLedger(harness)
    await addCrowd(site, USERS)
    const server = await startMailServer()
    const child = startCampaign(site, server)
    const end = ended(child)
    while (server.mails.length < 50) await pause(5)
    child.kill('SIGINT')
    const { exit, report } = await end
    expect(exit).toBe(130)
    expect(await expectAgreement(site, server)).toEqual({ sent: server.mails.length, sending: 0 })
    expect(report.sent).toBe(server.mails.length)
    expect(report.sent).toBeLessThan(USERS)
  })

  test('which a terminal sends to the whole group, does not reach the programs that send', async () => {
    const site = await siteWithLedger(harness)
    await addCrowd(site, USERS)
    const [begun, go] = [join(directory, `begun-${harness.kind}`), join(directory, `go-${harness.kind}`)]
    const sendmail = join(directory, `sendmail-${harness.kind}`)
    const waits = `until [ -e '${go}' ]; do sleep 0.05; done`
    await writeFile(sendmail, `#!/bin/sh\ncat >/dev/null\ntouch '${begun}'\n${waits}\n`, { mode: 0o700 })
    const child = start(site, '--sendmail', sendmail, '--concurrency', '2')
    const end = ended(child)
    while (!existsSync(begun)) await pause(5)
    process.kill(-(child.pid ?? 0), 'SIGINT')
    await writeFile(go, '')
    const { exit, report } = await end
    expect(exit).toBe(130)
    expect(report).toMatchObject({ failed: 0, uncertain: 0 })
    expect(report.sent).toBeGreaterThan(0)
    expect(await ledgerOf(site)).toMatchObject({ sent: { length: report.sent }, sending: { length: 0 } })
  })
})
