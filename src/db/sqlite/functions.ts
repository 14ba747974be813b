import { isUtf8 } from 'node:buffer'
import type Sqlite from 'better-sqlite3'
import { instantFromText } from '../../django/datetime.ts'
import { dashedUuid } from '../../django/uuid.ts'
import { objectCellValue } from './cells.ts'

/** Lower case as JavaScript knows it; SQLite's own lower() stops at ASCII. */
export const FOLD_CASE = 'usermgmt_fold_case'

/** SQLite has no digests. */
export const SHA256 = 'usermgmt_sha256'

/** The value of a cell that is an object. */
export const OBJECT_CELL = 'usermgmt_object_cell'

/** True for bytes that are text in UTF-8. */
export const IS_UTF8 = 'usermgmt_is_utf8'

/** True for bytes that are text in a database of that encoding, when it is one of UTF-16. */
export const IS_UTF16 = 'usermgmt_is_utf16'

/** JavaScript's text of a real reads back to the same number; SQLite's need not. */
export const REAL_TEXT = 'usermgmt_real_text'

/** A UUID as people write it. */
export const SHOWN_UUID = 'usermgmt_shown_uuid'

/** A timestamp as people read it. */
export const SHOWN_INSTANT = 'usermgmt_shown_instant'

/** Makes the functions known that SQLite lacks. */
export function registerFunctions(connection: Sqlite.Database): void {
  const register = (name: string, work: (value: unknown) => unknown) =>
    connection.function(name, { deterministic: true }, work)
  register(FOLD_CASE, (text) => (typeof text === 'string' ? text.toLowerCase() : text))
  register(SHA256, (text) => (typeof text === 'string' ? sha256(text) : null))
  register(SHOWN_UUID, (key) => dashedUuid(String(key)) ?? String(key))
  register(SHOWN_INSTANT, (value) => instantFromText(String(value)))
  register(IS_UTF8, (bytes) => (isUtf8(bytes as Buffer) ? 1 : 0))
  connection.function(IS_UTF16, { deterministic: true }, (bytes, encoding) =>
    isUtf16(bytes as Buffer, encoding as string) ? 1 : 0,
  )
  register(REAL_TEXT, (real) => (Object.is(real, -0) ? '-0' : String(real)))
  register(OBJECT_CELL, objectCellValue)
}

/** Most commands need no digest, and to load what makes them takes a while. */
function sha256(text: string): string {
  return process.getBuiltinModule('node:crypto').hash('sha256', text)
}

/** Half of a surrogate pair is no text: to write it anew would make another one of it. */
function isUtf16(bytes: Buffer, encoding: string): boolean {
  if (encoding === 'UTF-8' || bytes.length % 2 === 1) return false
  const little = encoding === 'UTF-16le' ? bytes : Buffer.from(bytes).swap16()
  return !/[\ud800-\udfff]/u.test(little.toString('utf16le'))
}
