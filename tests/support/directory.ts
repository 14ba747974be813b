import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type beforeAll, type beforeEach, onTestFinished } from 'vitest'

const made = () => mkdtemp(join(tmpdir(), 'usermgmt-test-'))

/** Hands over an empty directory: to each test one of its own with `beforeEach`, one to all with `beforeAll`. Removes it. */
export function withDirectory(
  before: typeof beforeAll | typeof beforeEach,
  take: (path: string) => void | Promise<void>,
): void {
  before(async () => {
    const path = await made()
    await take(path)
    return () => rm(path, { recursive: true })
  })
}

/** Returns an empty directory for the test at hand, and removes it after that. */
export async function directoryOfTest(): Promise<string> {
  const path = await made()
  onTestFinished(() => rm(path, { recursive: true }))
  return path
}
