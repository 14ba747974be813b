import { type SQL, sql } from 'drizzle-orm'
import type { Cell, ImageColumn, ImagePlace } from '../dialect.ts'
import { boundValue, isBytesOfText } from './cells.ts'
import { IS_UTF8, IS_UTF16, OBJECT_CELL, REAL_TEXT } from './functions.ts'

/** As `Dialect.image`. */
export function image(columns: readonly ImageColumn[]): SQL {
  return sql`json_array(${sql.join(columns.map(exactCellOf), sql`, `)})`
}

/** As `image`, for text that is UTF-8 anyway: to look at each takes longer than all else. */
export function quickImage(columns: readonly ImageColumn[]): SQL {
  return sql`json_array(${sql.join(columns.map(cellOf), sql`, `)})`
}

/** As `Dialect.fromImages`. Without its WHERE, an ON CONFLICT that follows would be taken for the join's ON. */
export function fromImages(images: string, places: readonly ImagePlace[]): SQL {
  return sql`select ${sql.join(places.map(imageValue), sql`, `)} from json_each(${images}) where true`
}

/** As `Dialect.cellValue`. */
export function cellValue(cell: Cell): SQL {
  return isBytesOfText(cell) ? sql`cast(${boundValue(cell)} as text)` : sql`${boundValue(cell)}`
}

/** SQLite takes any bytes for text, and JSON does not. */
function exactCellOf(column: ImageColumn): SQL {
  const value = sql.identifier(column.name)
  return sql`case when typeof(${value}) = 'text' and not ${sql.raw(IS_UTF8)}(cast(${value} as blob))
      and not ${sql.raw(IS_UTF16)}(cast(${value} as blob), (select encoding from pragma_encoding))
    then json_object('t', lower(hex(cast(${value} as blob)))) else ${cellOf(column)} end`
}

/** Every value of SQLite has a type of its own, whatever its column says; but one that says text holds no numbers. */
function cellOf({ name, type }: ImageColumn): SQL {
  const value = sql.identifier(name)
  if (/char|clob|text/.test(type) && !type.includes('int')) {
    return sql`iif(typeof(${value}) = 'blob', json_object('x', lower(hex(${value}))), ${value})`
  }
  const safe = sql.raw(String(Number.MAX_SAFE_INTEGER))
  const real = sql`json_object('r', ${sql.raw(REAL_TEXT)}(cast(${value} as real)))`
  // A real without a fraction, when DELETE returns it after having looked in an index for rows that refer to it.
  const integer = hasRealAffinity(type)
    ? real
    : sql`iif(${value} between -${safe} and ${safe}, ${value}, json_object('i', cast(${value} as text)))`
  return sql`case typeof(${value}) when 'text' then ${value}
    when 'integer' then ${integer}
    when 'real' then ${real}
    when 'blob' then json_object('x', lower(hex(${value})))
    else ${value} end`
}

/** https://sqlite.org/datatype3.html#determination_of_column_affinity, for a type that does not say text. */
function hasRealAffinity(type: string): boolean {
  return /real|floa|doub/.test(type) && !/int|blob/.test(type)
}

function imageValue({ at }: ImagePlace): SQL {
  const path = sql.raw(`'$[${at}]'`)
  const cell = sql`json_extract(value, ${path})`
  const object = sql`${sql.raw(OBJECT_CELL)}(${cell})`
  const isBytes = sql`json_type(value, ${sql.raw(`'$[${at}].t'`)}) is not null`
  return sql`case json_type(value, ${path}) when 'object'
    then case when ${isBytes} then cast(${object} as text) else ${object} end else ${cell} end`
}
