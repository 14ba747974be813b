import type { Clock } from './clock.ts'
import type { Message } from './message.ts'
import type { Pace } from './pace.ts'
import { patiently } from './patiently.ts'
import type { Result } from './reminder-rows.ts'
import type { MailOutcome, Transport } from './transport.ts'

export interface DeliveryOptions {
  readonly transport: Transport
  readonly pace: Pace
  readonly clock: Clock
  /** Aborted when no further attempt is to begin. */
  readonly ending: AbortSignal
  /** When it was certain that the mail is due. */
  readonly checkedAt: Date
  /** Asked when that is a while ago: the server is slow, or the mail is tried again. */
  readonly isStillDue: () => Promise<boolean>
  /** Called with each attempt. */
  readonly onBegin: () => void
}

/** What has become of a mail. */
export interface Delivered extends Omit<Result, 'reminderId'> {
  /** Unsent because it is no longer due. */
  readonly changed?: boolean
}

const STATUS: Record<MailOutcome['kind'], Result['status']> = {
  sent: 'sent',
  bounced: 'bounced',
  refused: 'failed',
  deferred: 'failed',
  uncertain: 'sending',
}

/** Longer than a group takes with a rate. */
const FRESH_MILLISECONDS = 2_000

/** Sends the mail when its turn comes, and again when the server is busy. Throws a UserError when none can be sent. */
export async function deliver(compose: () => Message, options: DeliveryOptions): Promise<Delivered> {
  const { pace, transport, clock, ending, checkedAt, isStillDue, onBegin } = options
  let attempts = 0
  let message: Message | undefined
  const attempt = () =>
    pace.run(async () => {
      if (ending.aborted) throw new NotSent({ changed: false })
      const isFresh = attempts === 0 && clock.now().getTime() - checkedAt.getTime() < FRESH_MILLISECONDS
      if (!isFresh && !(await isStillDue())) throw new NotSent({ changed: true })
      attempts += 1
      onBegin()
      message ??= compose()
      return transport.send(message)
    })
  try {
    const { kind, reply } = await patiently(attempt, clock, ending)
    const isCutOff = kind === 'deferred' && ending.aborted
    return { status: isCutOff ? 'unsent' : STATUS[kind], reply, attempts }
  } catch (error) {
    if (!(error instanceof NotSent)) throw error
    return { status: 'unsent', reply: '', attempts, changed: error.changed }
  }
}

/** It has certainly not been handed over. */
class NotSent extends Error {
  /** The user is no longer to be mailed; else the campaign stops. */
  readonly changed: boolean
  constructor({ changed }: { readonly changed: boolean }) {
    super('not sent')
    this.changed = changed
  }
}
