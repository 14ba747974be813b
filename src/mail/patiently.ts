import type { Clock } from './clock.ts'
import type { MailOutcome } from './transport.ts'

/** A busy server is soon free again; one that greylists takes longer. */
const PAUSES_MILLISECONDS = [1_000, 5_000, 25_000]

/** Returns the outcome of the attempt, which is tried again when it was deferred: up to three times, after pauses that grow, until the signal. */
export async function patiently(
  attempt: () => Promise<MailOutcome>,
  clock: Clock,
  signal?: AbortSignal,
): Promise<MailOutcome> {
  let outcome = await attempt()
  for (const pause of PAUSES_MILLISECONDS) {
    if (outcome.kind !== 'deferred') break
    await clock.sleep(pause, signal)
    if (signal?.aborted) break
    outcome = await attempt()
  }
  return outcome
}
