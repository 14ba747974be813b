import { invalid } from '../errors.ts'
import type { Transport } from '../mail/transport.ts'
import type { Context } from './context.ts'
import type { TransportSource } from './mail-settings.ts'

/**
 * Throws a UserError unless exactly one way to send is set (invalid), and it can be opened: before anything else is done.
 * Nothing is connected to, and no outbox made.
 */
export async function checkTransport(source: TransportSource, context: Context): Promise<void> {
  const { smtpUrl, sendmail, outbox } = source
  const ways = [smtpUrl, sendmail, outbox].filter((way) => way !== undefined)
  if (ways.length !== 1) {
    throw invalid(
      ways.length === 0
        ? 'no mail server is named'
        : 'smtp_url, sendmail, outbox: only one of them can send the mails',
      'mail.smtp_url, mail.sendmail or mail.outbox in the configuration file, USERMGMT_SMTP_URL, or --smtp-url smtp://mail.example, --sendmail, --outbox DIRECTORY',
    )
  }
  if (outbox === undefined) return withTransport(source, 1, context, async () => {})
  const { checkOutbox } = await import('../mail/outbox-transport.ts')
  await checkOutbox(outbox)
}

/** Opens the way to send, runs the work, and closes it. Throws a UserError when it cannot be opened. */
export async function withTransport<T>(
  { smtpUrl, sendmail, outbox, directory }: TransportSource,
  connections: number,
  { env }: Context,
  work: (transport: Transport) => Promise<T>,
): Promise<T> {
  const transport = await open()
  try {
    return await work(transport)
  } finally {
    await transport.close()
  }

  async function open(): Promise<Transport> {
    if (smtpUrl !== undefined) {
      const { smtpServerFrom } = await import('../mail/smtp-url.ts')
      const { smtpTransport } = await import('../mail/smtp-transport.ts')
      const credentials = {
        user: env.USERMGMT_SMTP_USER || undefined,
        password: env.USERMGMT_SMTP_PASSWORD || undefined,
      }
      return smtpTransport(smtpServerFrom(smtpUrl, credentials, directory), { connections })
    }
    if (outbox !== undefined) return (await import('../mail/outbox-transport.ts')).outboxTransport(outbox)
    const { sendmailTransport } = await import('../mail/sendmail-transport.ts')
    return sendmailTransport(sendmail === true ? undefined : sendmail)
  }
}
