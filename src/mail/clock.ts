import { setTimeout } from 'node:timers/promises'

/** Time, which a test can do without. */
export interface Clock {
  now(): Date
  /** Returns early, without an error, when the signal aborts. */
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void>
}

/** The sleep of a clock that is a real one. */
export async function sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
  await setTimeout(milliseconds, undefined, signal ? { signal } : {}).catch((error: unknown) => {
    if (!signal?.aborted) throw error
  })
}
