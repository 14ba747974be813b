import { open } from 'node:fs/promises'
import { constants, gunzipSync } from 'node:zlib'
import { findHead } from './format.ts'
import { bytesAt } from './scan.ts'

/** How the header of an archive begins, whatever its version. */
const BEGINNING = /^\{"usermgmt":"[^"]*","format":/
const BEGINNING_BYTES = 4096

/** True when the file holds the text of an archive, as it is or packed by another program. */
export async function holdsArchiveText(path: string): Promise<boolean> {
  const file = await open(path)
  try {
    const bytes = await bytesAt(file, 0, BEGINNING_BYTES)
    // What purge has written is not whole, if nobody could read it as it is.
    return findHead(bytes) === undefined && BEGINNING.test(unpacked(bytes).toString('latin1'))
  } finally {
    await file.close()
  }
}

/** Returns the bytes themselves when gzip has not made them. */
function unpacked(bytes: Buffer): Buffer {
  try {
    // With the default flush a beginning would be an error: its end is missing.
    return gunzipSync(bytes, { finishFlush: constants.Z_SYNC_FLUSH })
  } catch {
    return bytes
  }
}
