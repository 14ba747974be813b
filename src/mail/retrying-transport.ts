import type { Clock } from './pace.ts'
import type { Transport } from './transport.ts'

/** A busy server is soon free again; one that greylists takes longer. */
const PAUSES_MILLISECONDS = [1_000, 5_000, 25_000]

/** Returns the transport, which tries again what was deferred: up to three times, after pauses that grow, until the signal. */
export function retryingTransport(transport: Transport, clock: Clock, signal?: AbortSignal): Transport {
  return {
    async send(message) {
      let outcome = await transport.send(message)
      for (const pause of PAUSES_MILLISECONDS) {
        if (outcome.kind !== 'deferred') break
        await clock.sleep(pause, signal)
        if (signal?.aborted) break
        outcome = await transport.send(message)
      }
      return outcome
    },
    close: () => transport.close(),
  }
}
