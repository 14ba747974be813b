/**
 * For work on any number of users, before it begins: what a batch leaves behind is garbage at once. V8 by itself makes
 * ever more room for new objects, and waits until three times as much has come as is in use: a process would grow with
 * its work, and gain nothing.
 */
export function keepHeapLean(): void {
  // To load it takes a while, and most commands have little work.
  const { setFlagsFromString } = process.getBuiltinModule('node:v8')
  setFlagsFromString('--semi-space-growth-factor=1')
  setFlagsFromString('--heap-growing-percent=50')
}
