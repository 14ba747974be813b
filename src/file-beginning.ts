import { open } from 'node:fs/promises'

const BYTES = 100

/** Returns whether the file begins so. No more than the beginning is read: it may be anything, of any size. Throws the system's error. */
export async function beginsWith(path: string, beginning: RegExp): Promise<boolean> {
  const file = await open(path)
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(BYTES))
    return beginning.test(buffer.toString('latin1', 0, bytesRead))
  } finally {
    await file.close()
  }
}
