import { setFlagsFromString } from 'node:v8'

/**
 * For work on any number of users, before it begins: what a batch leaves behind is garbage at once. V8 by itself makes
 * ever more room for new objects, and waits until three times as much has come as is in use: a process would grow with
 * its work, and gain nothing.
 */
export function keepHeapLean(): void {
  setFlagsFromString('--semi-space-growth-factor=1')
  setFlagsFromString('--heap-growing-percent=50')
}
