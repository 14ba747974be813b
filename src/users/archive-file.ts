import { type FileHandle, open } from 'node:fs/promises'
import { promisify } from 'node:util'
import { gunzipSync, gzip, type ZlibOptions } from 'node:zlib'

/**
 * An archive is a series of gzip members (RFC 1952), which `zcat` reads as one. Each batch is written and fsynced whole,
 * in one or more members; the first of them says in an extra field how long all are, so that batches can be found from
 * the end, and a torn last one is known.
 */
const FLAGS = 3
const EXTRA_FLAG = 4
const FIXED_HEADER = 10
/** Length of the extra field, then one subfield: `UM`, its length, the length of the whole batch and how many lines it has. */
const EXTRA = 2 + 4 + 8
const LENGTH_AT = FIXED_HEADER + 2 + 4
const SUBFIELD = 'UM'

/** How much text is compressed at once, in bytes: by another thread, while the database is at work. */
const PIECE_BYTES = 512 * 1024

const LARGEST_BUFFER = 8 * PIECE_BYTES

const LINE_END = 0x0a

const compress = promisify<Buffer, ZlibOptions, Buffer>(gzip)

/** Appends batches to a new file that only its owner may read. */
export class ArchiveWriter {
  private readonly file: FileHandle
  private readonly buffers: LineBuffer[] = []
  private last: Promise<void> = Promise.resolve()

  private constructor(file: FileHandle) {
    this.file = file
  }

  /** Creates the file. Throws the system's error when it cannot, or when it exists. */
  static async create(path: string): Promise<ArchiveWriter> {
    return new ArchiveWriter(await open(path, 'wx', 0o600))
  }

  /** Returns a batch to be filled; nothing of it is in the file before it is saved. Several may be filled at once. */
  batch(): ArchiveBatch {
    return new ArchiveBatch(this.buffers, (pieces, lines) => this.append(pieces, lines))
  }

  /**
   * One after the other, whoever asks: a large batch takes several writes. After one that failed every other fails, for
   * nothing that follows a torn batch can be read.
   */
  private append(pieces: readonly Buffer[], lines: number): Promise<void> {
    this.last = this.last.then(() => this.write(pieces, lines))
    return this.last
  }

  private async write(pieces: readonly Buffer[], lines: number): Promise<void> {
    await this.file.appendFile(Buffer.concat(withLength(pieces, lines)))
    await this.file.datasync()
  }

  async close(): Promise<void> {
    await this.file.close()
  }
}

/** Lines that are written, and read again, together. */
export class ArchiveBatch {
  private readonly buffers: LineBuffer[]
  private readonly append: (pieces: readonly Buffer[], lines: number) => Promise<void>
  private readonly pieces: Promise<Buffer>[] = []
  private filled: LineBuffer | undefined
  private lines = 0
  /** How much text it holds. */
  bytes = 0

  constructor(buffers: LineBuffer[], append: (pieces: readonly Buffer[], lines: number) => Promise<void>) {
    this.buffers = buffers
    this.append = append
  }

  /** Takes one or more lines, in UTF-8 when they come as bytes; the last one without its end. */
  add(lines: string | Uint8Array): void {
    this.filled ??= this.buffers.pop() ?? new LineBuffer()
    const before = this.filled.bytes
    this.filled.add(lines)
    this.bytes += this.filled.bytes - before
    this.lines += this.filled.linesSince(before)
    if (this.filled.bytes >= PIECE_BYTES) this.compressFilled()
  }

  /** Returns once the lines are on the disk. */
  async save(): Promise<void> {
    this.compressFilled()
    if (this.pieces.length > 0) await this.append(await Promise.all(this.pieces), this.lines)
  }

  private compressFilled(): void {
    const { filled } = this
    if (!filled) return
    this.filled = undefined
    const piece = compressed(filled).finally(() => {
      filled.clear()
      this.buffers.push(filled)
    })
    // It is looked at when the batch is saved, if it is.
    piece.catch(() => {})
    this.pieces.push(piece)
  }
}

/** Level 1: a quarter of the size; more would take longer than to delete. In one go, not a few kilobytes at a time. */
function compressed({ text }: LineBuffer): Promise<Buffer> {
  return compress(text, { level: 1, chunkSize: Math.max(PIECE_BYTES / 2, text.length / 2) })
}

/** Room for text that is used again and again: new megabytes with every batch would pile up until they are collected. */
class LineBuffer {
  /** How much of it is filled. */
  bytes = 0
  private buffer = Buffer.alloc(2 * PIECE_BYTES)

  /** The lines with their ends in UTF-8; good until it is cleared. */
  get text(): Buffer {
    return this.buffer.subarray(0, this.bytes)
  }

  add(lines: string | Uint8Array): void {
    const needed = this.bytes + Buffer.byteLength(lines) + 1
    if (needed > this.buffer.length) {
      const larger = Buffer.alloc(needed)
      this.buffer.copy(larger, 0, 0, this.bytes)
      this.buffer = larger
    }
    if (typeof lines === 'string') this.buffer.write(lines, this.bytes)
    else this.buffer.set(lines, this.bytes)
    this.buffer[needed - 1] = LINE_END
    this.bytes = needed
  }

  /** Returns how many lines there are behind that place. */
  linesSince(start: number): number {
    let lines = 0
    for (let at = start; at < this.bytes; lines++) at = this.buffer.indexOf(LINE_END, at) + 1
    return lines
  }

  /** What was as large as that once need not be so again. */
  clear(): void {
    this.bytes = 0
    if (this.buffer.length > LARGEST_BUFFER) this.buffer = Buffer.alloc(2 * PIECE_BYTES)
  }
}

/** Puts into the first piece how long all are, and how many lines they hold: they are one batch for whoever reads. */
function withLength(pieces: readonly Buffer[], lines: number): Buffer[] {
  const [first = Buffer.alloc(0), ...others] = pieces
  const extra = Buffer.alloc(EXTRA)
  extra.writeUInt16LE(EXTRA - 2, 0)
  extra.write(SUBFIELD, 2, 'latin1')
  extra.writeUInt16LE(8, 4)
  extra.writeUInt32LE(
    pieces.reduce((sum, piece) => sum + piece.length, EXTRA),
    6,
  )
  extra.writeUInt32LE(lines, 10)
  const head = Buffer.from(first.subarray(0, FIXED_HEADER))
  head[FLAGS] = (head[FLAGS] ?? 0) | EXTRA_FLAG
  return [head, extra, first.subarray(FIXED_HEADER), ...others]
}

/** Where a batch is; without a number of lines where it cannot be told what it was. */
interface Span {
  readonly start: number
  readonly length: number
  readonly lines: number | undefined
}

/** Reads the batches of a file in any order, one at a time. */
export class ArchiveReader {
  /** How many batches there are, damaged ones among them. */
  readonly count: number
  /** The file ends in the middle of a batch: the writer was stopped, or the file was cut. */
  readonly isTorn: boolean
  private readonly file: FileHandle
  private readonly spans: readonly Span[]

  private constructor(file: FileHandle, spans: readonly Span[], isTorn: boolean) {
    this.file = file
    this.spans = spans
    this.count = spans.length
    this.isTorn = isTorn
  }

  /** Opens the file and finds its batches. None at all: it is not an archive. */
  static async open(path: string): Promise<ArchiveReader> {
    const file = await open(path, 'r')
    const { size } = await file.stat()
    const spans: Span[] = []
    for (let start = 0; start < size; ) {
      const found = await spanAt(file, start)
      if (found && start + found.length <= size) {
        spans.push(found)
        start += found.length
        continue
      }
      // Behind damage it goes on with the next batch; where none comes, the last one was not written to its end.
      const next = await nextBatch(file, start + 1, size)
      if (next === undefined && (found || size - start < HEAD)) return new ArchiveReader(file, spans, true)
      spans.push({ start, length: (next ?? size) - start, lines: undefined })
      start = next ?? size
    }
    return new ArchiveReader(file, spans, false)
  }

  /** Returns the lines of a batch; undefined when it is damaged. */
  async lines(number: number): Promise<string[] | undefined> {
    const span = this.spans[number]
    if (span?.lines === undefined) return undefined
    const { buffer } = await this.file.read(Buffer.alloc(span.length), 0, span.length, span.start)
    const lines = linesIn(uncompressed(buffer))
    return lines.length === span.lines ? lines : undefined
  }

  async close(): Promise<void> {
    await this.file.close()
  }
}

/** Returns nothing for what is damaged: it is known how many lines there should be. */
function uncompressed(member: Buffer): Buffer {
  try {
    return gunzipSync(member)
  } catch (error) {
    if (/^(Z_|ERR_BUFFER_)/.test((error as NodeJS.ErrnoException).code ?? '')) return Buffer.alloc(0)
    throw error
  }
}

/** One by one: all in one text could be longer than V8 allows. */
function linesIn(bytes: Buffer): string[] {
  const lines: string[] = []
  for (let at = 0; ; ) {
    const end = bytes.indexOf(LINE_END, at)
    if (end === -1) return lines
    lines.push(bytes.toString('utf8', at, end))
    at = end + 1
  }
}

/** The beginning of a batch. */
const HEAD = FIXED_HEADER + EXTRA
/** gzip, deflate, and an extra field. */
const MAGIC = Buffer.from([0x1f, 0x8b, 0x08, EXTRA_FLAG])
const SCAN_BYTES = 1024 * 1024

/** Returns the batch that begins there, as it says itself. */
async function spanAt(file: FileHandle, start: number): Promise<Span | undefined> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD), 0, HEAD, start)
  if (bytesRead < HEAD || !isHead(buffer, 0)) return undefined
  const length = buffer.readUInt32LE(LENGTH_AT)
  return length > HEAD ? { start, length, lines: buffer.readUInt32LE(LENGTH_AT + 4) } : undefined
}

function isHead(buffer: Buffer, at: number): boolean {
  const field = at + FIXED_HEADER + 2
  return (
    buffer.subarray(at, at + MAGIC.length).equals(MAGIC) &&
    buffer.toString('latin1', field, field + 2) === SUBFIELD
  )
}

/** Returns where the next batch begins, from there on. */
async function nextBatch(file: FileHandle, from: number, size: number): Promise<number | undefined> {
  const buffer = Buffer.alloc(SCAN_BYTES)
  for (let start = from; start < size; start += SCAN_BYTES - HEAD) {
    const { bytesRead } = await file.read(buffer, 0, SCAN_BYTES, start)
    const part = buffer.subarray(0, bytesRead)
    for (let at = part.indexOf(MAGIC); at !== -1; at = part.indexOf(MAGIC, at + 1)) {
      if (isHead(part, at)) return start + at
    }
    if (bytesRead < SCAN_BYTES) return undefined
  }
  return undefined
}
