import { crc32, inflateRawSync } from 'node:zlib'
import { jsonIn } from '../../json.ts'
import { type BatchHead, HEAD_BYTES } from './format.ts'
import type { ArchiveEndLine } from './lines.ts'

/** What ends a gzip member: the CRC-32 of its text, and how long that is. */
const TRAILER_BYTES = 8
/** The record that ends an archive is a short line. */
export const MOST_END_BYTES = 512

/**
 * Returns what the head of the record that ends an archive said, when only that is damaged: all is told by its line, too,
 * and that has a check of its own. Undefined when the bytes are anything else.
 */
export function damagedEndIn(bytes: Buffer): BatchHead | undefined {
  const text = textAfterHead(bytes)
  const { end, batches } = (jsonIn(text ?? '') ?? {}) as Partial<ArchiveEndLine>
  if (end === undefined || !Number.isInteger(batches)) return undefined
  return { length: bytes.length, lines: 1, number: Number(batches) + 1, isEnd: true }
}

/** Undefined when it is not what was written. */
function textAfterHead(bytes: Buffer): string | undefined {
  if (bytes.length < HEAD_BYTES + TRAILER_BYTES) return undefined
  try {
    const text = inflateRawSync(bytes.subarray(HEAD_BYTES, -TRAILER_BYTES), {
      maxOutputLength: MOST_END_BYTES,
    })
    const isWhole = crc32(text) === bytes.readUInt32LE(bytes.length - TRAILER_BYTES)
    return isWhole ? text.toString('utf8') : undefined
  } catch {
    return undefined
  }
}
