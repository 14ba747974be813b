import { crc32 } from 'node:zlib'

/**
 * An archive is a series of gzip members (RFC 1952), which `zcat` reads as one. Each batch is written and fsynced whole,
 * in one or more members; the first of them says in an extra field how long all are, how many lines they hold and
 * which number the batch has in the file, so that batches can be found from the end, and a damaged, torn or missing one
 * is known. Number 0 is the header; the last one tells how the purge has ended.
 */
const FLAGS = 3
const EXTRA_FLAG = 4
const FIXED_HEADER = 10
/** The length of the extra field, then `UM` and the length of what follows: that begins one subfield. */
const SUBFIELD_HEADER = 2 + 4
/** Length, lines, number, 1 for the last batch, each in four bytes; then the CRC-32 of these. */
const FIELDS = 4 * 4
const EXTRA = SUBFIELD_HEADER + FIELDS + 4
const SUBFIELD_AT = FIXED_HEADER + 2
const FIELDS_AT = FIXED_HEADER + SUBFIELD_HEADER
const SUBFIELD = 'UM'
/** gzip, deflate, and an extra field. */
const MAGIC = Buffer.from([0x1f, 0x8b, 0x08, EXTRA_FLAG])

/** A quarter of the size; a higher level would take longer than to delete. */
export const COMPRESSION = { level: 1 }

/** How many bytes the beginning of a batch has. */
export const HEAD_BYTES = FIXED_HEADER + EXTRA

/** What a batch says about itself. */
export interface BatchHead {
  /** Of the whole batch, in bytes. */
  readonly length: number
  readonly lines: number
  /** Its place in the file. */
  readonly number: number
  /** It ends the archive. */
  readonly isEnd: boolean
}

/** Returns the gzip members of a batch with its head: they are one for whoever reads. */
export function withHead(
  members: readonly Buffer[],
  { lines, number, isEnd }: Omit<BatchHead, 'length'>,
): Buffer[] {
  const [first = Buffer.alloc(0), ...others] = members
  const length = members.reduce((sum, member) => sum + member.length, EXTRA)
  const extra = Buffer.alloc(EXTRA)
  extra.writeUInt16LE(EXTRA - 2, 0)
  extra.write(SUBFIELD, 2, 'latin1')
  extra.writeUInt16LE(EXTRA - SUBFIELD_HEADER, 4)
  for (const [i, field] of [length, lines, number, Number(isEnd)].entries()) {
    extra.writeUInt32LE(field, SUBFIELD_HEADER + i * 4)
  }
  extra.writeUInt32LE(crc32(extra.subarray(SUBFIELD_HEADER, SUBFIELD_HEADER + FIELDS)), EXTRA - 4)
  const head = Buffer.from(first.subarray(0, FIXED_HEADER))
  head[FLAGS] = (head[FLAGS] ?? 0) | EXTRA_FLAG
  return [head, extra, first.subarray(FIXED_HEADER), ...others]
}

/** Returns what the batch says that begins here; undefined when none does, or when what it says is damaged. */
export function headIn(bytes: Buffer): BatchHead | undefined {
  if (bytes.length < HEAD_BYTES || !beginsAt(bytes, 0)) return undefined
  const fields = bytes.subarray(FIELDS_AT, FIELDS_AT + FIELDS)
  if (crc32(fields) !== bytes.readUInt32LE(FIELDS_AT + FIELDS)) return undefined
  return {
    length: fields.readUInt32LE(0),
    lines: fields.readUInt32LE(4),
    number: fields.readUInt32LE(8),
    isEnd: fields.readUInt32LE(12) === 1,
  }
}

/** Returns where in the bytes the first batch begins; undefined when none does. */
export function findHead(bytes: Buffer): number | undefined {
  for (let at = bytes.indexOf(MAGIC); at !== -1; at = bytes.indexOf(MAGIC, at + 1)) {
    if (beginsAt(bytes, at)) return at
  }
  return undefined
}

function beginsAt(bytes: Buffer, at: number): boolean {
  const field = at + SUBFIELD_AT
  return (
    bytes.subarray(at, at + MAGIC.length).equals(MAGIC) &&
    bytes.toString('latin1', field, field + SUBFIELD.length) === SUBFIELD
  )
}
