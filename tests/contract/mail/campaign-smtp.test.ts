import { simpleParser } from 'mailparser'
import { expect, test } from 'vitest'
import { smtpTransport } from '../../../src/mail/smtp-transport.ts'
import { smtpServerFrom } from '../../../src/mail/smtp-url.ts'
import { campaign, reminders, siteWithLedger } from '../../support/campaign.ts'
import { addCrowd } from '../../support/crowd.ts'
import { describeEachDatabase } from '../../support/databases.ts'
import { rowsOf } from '../../support/sites.ts'
import { startMailServer } from '../../support/smtp.ts'

const USERS = 2_000

/** What the server makes of the mail to the user of this number. */
function fateOf(address: string): 'busy' | 'unknown' | 'refused' | 'cut' | undefined {
  const number = Number(/\d+/.exec(address)?.[0])
  if (number % 100 === 1) return 'busy'
  if (number % 100 === 2) return 'unknown'
  if (number % 200 === 3) return 'refused'
  return number % 500 === 4 ? 'cut' : undefined
}

describeEachDatabase('a campaign over SMTP', (harness) => {
  test('ends with ledger, server and report agreed, whatever the server says', async () => {
    const site = await siteWithLedger(harness)
    await addCrowd(site, USERS)
    const server = await startMailServer({
      recipient: (address, attempt) => {
        if (fateOf(address) === 'unknown') return '550 5.1.1 no such user'
        return fateOf(address) === 'busy' && attempt < 3 ? '451 4.7.1 come back later' : undefined
      },
      message: (address) => {
        if (fateOf(address) === 'refused') return '554 5.6.0 not with this content'
        return fateOf(address) === 'cut' ? 'cut' : undefined
      },
    })
    const at = smtpServerFrom(`smtp://127.0.0.1:${server.port}?tls=off`, {}, '/')
    const transport = await smtpTransport(at, { connections: 5 })
    const report = await campaign(site, transport)
    await transport.close()

    expect(report).toMatchObject({ bounced: 20, failed: 10, uncertain: 4, sent: USERS - 34, changed: 0 })
    expect(report.stopped).toBeUndefined()
    const addresses = new Map(
      (await rowsOf(site.db, 'account_emailaddress')).map((row) => [row.id, row.email]),
    )
    const statusOf = new Map(
      (await reminders(site)).map((row) => [String(addresses.get(row.address_key)), row]),
    )
    expect(statusOf.size).toBe(USERS)
    const received = new Set(server.mails.map(({ recipient }) => recipient))
    expect(received.size).toBe(server.mails.length)
    for (const [address, { status, attempts }] of statusOf) {
      const fate = fateOf(address)
      const expected = fate && { busy: 'sent', unknown: 'bounced', refused: 'failed', cut: 'sending' }[fate]
      expect({ address, status, attempts }).toEqual({
        address,
        status: expected ?? 'sent',
        attempts: fate === 'busy' ? '3' : '1',
      })
      expect(received.has(address)).toBe(status === 'sent' || status === 'sending')
    }
    for (const { recipient, source } of server.mails.slice(0, 50)) {
      expect((await simpleParser(source)).to).toMatchObject({ text: recipient })
    }
  })
})
