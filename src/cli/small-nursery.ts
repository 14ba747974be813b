import { setFlagsFromString } from 'node:v8'

/**
 * For work on any number of users: what a batch leaves behind is garbage at once. V8 would double the room for new
 * objects time and again, to clear it away less often, and a process would grow with its work by tens of megabytes.
 */
export function keepNurserySmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1')
}
