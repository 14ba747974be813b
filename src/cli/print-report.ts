import type { Output } from './output.ts'

/**
 * Prints what has been done; then `check` throws when that was not everything. Also when nobody reads it: the exit code
 * is to tell.
 */
export async function printReport(output: Output, text: string, check: () => void): Promise<void> {
  try {
    await output.write(text)
  } finally {
    check()
  }
}
