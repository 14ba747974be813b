import type { Output } from './output.ts'

const CHUNK = 64 * 1024

/** Writes the pieces in chunks, no faster than they are read: a system call for each user would be the slowest part. */
export async function writeAll(output: Output, pieces: AsyncIterable<string>): Promise<void> {
  let chunk = ''
  try {
    for await (const piece of pieces) {
      chunk += piece
      if (chunk.length < CHUNK) continue
      await output.write(chunk)
      chunk = ''
    }
  } finally {
    // Also when reading the next one failed: what has been read is printed.
    if (chunk !== '') await output.write(chunk)
  }
}
