import { readlinkSync } from 'node:fs'
import { hostname } from 'node:os'

/** The process that holds the lock, so that one on the same machine can tell whether it is still there. */
export interface Holder {
  readonly host: string
  readonly pid: number
  /** Containers share the name of a machine more often than its processes. */
  readonly space?: string | undefined
}

/** Returns this process as a holder. */
export function thisProcess(): Holder {
  return { host: hostname(), pid: process.pid, space: processSpace() }
}

/** True when the process is certainly gone; of one that runs elsewhere nobody knows. */
export function isGone(holder: Holder, here: Holder = thisProcess()): boolean {
  if (holder.host !== here.host || holder.space !== here.space) return false
  try {
    process.kill(holder.pid, 0)
    return false
  } catch (error) {
    // EPERM: it is there, and somebody else's.
    return (error as NodeJS.ErrnoException).code === 'ESRCH'
  }
}

function processSpace(): string | undefined {
  try {
    return readlinkSync('/proc/self/ns/pid')
  } catch {
    return undefined
  }
}
