import type { Context } from './context.ts'
import { ClosedOutput } from './output.ts'

/**
 * Prints what has been done; then `check` throws when that was not everything. Also when nobody reads it: the exit code
 * is to tell. Where it cannot be written (a full disk), it is told beside: it says how to undo what has been done.
 */
export async function printReport(
  { stdout, stderr }: Pick<Context, 'stdout' | 'stderr'>,
  text: string,
  check: () => void,
): Promise<void> {
  try {
    await stdout.write(text)
  } catch (error) {
    if (!(error instanceof ClosedOutput)) await stderr.write(text)
    throw error
  } finally {
    check()
  }
}
