/**
 * An archive is a series of gzip members (RFC 1952), which `zcat` reads as one. Each batch is written and fsynced whole,
 * in one or more members; the first of them says in an extra field how long all are and how many lines they hold, so
 * that batches can be found from the end, and a damaged or torn one is known.
 */
const FLAGS = 3
const EXTRA_FLAG = 4
const FIXED_HEADER = 10
/** Length of the extra field, then one subfield: `UM`, its length, the length of the batch and how many lines it has. */
const EXTRA = 2 + 4 + 8
const FIELD_AT = FIXED_HEADER + 2
const LENGTH_AT = FIELD_AT + 4
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
}

/** Returns the gzip members of a batch with its head: they are one for whoever reads. */
export function withHead(members: readonly Buffer[], lines: number): Buffer[] {
  const [first = Buffer.alloc(0), ...others] = members
  const extra = Buffer.alloc(EXTRA)
  extra.writeUInt16LE(EXTRA - 2, 0)
  extra.write(SUBFIELD, 2, 'latin1')
  extra.writeUInt16LE(8, 4)
  extra.writeUInt32LE(
    members.reduce((sum, member) => sum + member.length, EXTRA),
    6,
  )
  extra.writeUInt32LE(lines, 10)
  const head = Buffer.from(first.subarray(0, FIXED_HEADER))
  head[FLAGS] = (head[FLAGS] ?? 0) | EXTRA_FLAG
  return [head, extra, first.subarray(FIXED_HEADER), ...others]
}

/** Returns what the batch says that begins here; undefined when none does. */
export function headIn(bytes: Buffer): BatchHead | undefined {
  if (bytes.length < HEAD_BYTES || !beginsAt(bytes, 0)) return undefined
  const length = bytes.readUInt32LE(LENGTH_AT)
  return length > HEAD_BYTES ? { length, lines: bytes.readUInt32LE(LENGTH_AT + 4) } : undefined
}

/** Returns where in the bytes the first batch begins; undefined when none does. */
export function findHead(bytes: Buffer): number | undefined {
  for (let at = bytes.indexOf(MAGIC); at !== -1; at = bytes.indexOf(MAGIC, at + 1)) {
    if (beginsAt(bytes, at)) return at
  }
  return undefined
}

function beginsAt(bytes: Buffer, at: number): boolean {
  const field = at + FIELD_AT
  return (
    bytes.subarray(at, at + MAGIC.length).equals(MAGIC) &&
    bytes.toString('latin1', field, field + SUBFIELD.length) === SUBFIELD
  )
}
