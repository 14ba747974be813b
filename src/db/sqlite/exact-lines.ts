import { isUtf8 } from 'node:buffer'

/** True when the lines that the database has made hold what is in it: what is not UTF-8 does not survive as text. */
export function isExact(lines: Uint8Array | string | null): boolean {
  return typeof lines === 'string' ? !lines.includes('\ufffd') : lines === null || isUtf8(lines)
}
