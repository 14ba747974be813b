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
/** Length of the extra field, then one subfield: `UM`, its length, the length of the whole batch. */
const EXTRA = 2 + 4 + 4
const LENGTH_AT = FIXED_HEADER + 2 + 4
const SUBFIELD = 'UM'

/** How much text is compressed at once, in bytes: by another thread, while the database is at work. */
const PIECE_BYTES = 512 * 1024

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
    return new ArchiveBatch(this.buffers, (pieces) => this.append(pieces))
  }

  /**
   * One after the other, whoever asks: a large batch takes several writes. After one that failed every other fails, for
   * nothing that follows a torn batch can be read.
   */
  private append(pieces: readonly Buffer[]): Promise<void> {
    this.last = this.last.then(() => this.write(pieces))
    return this.last
  }

  private async write(pieces: readonly Buffer[]): Promise<void> {
    await this.file.appendFile(Buffer.concat(withLength(pieces)))
    await this.file.datasync()
  }

  async close(): Promise<void> {
    await this.file.close()
  }
}

/** Lines that are written, and read again, together. */
export class ArchiveBatch {
  private readonly buffers: LineBuffer[]
  private readonly append: (pieces: readonly Buffer[]) => Promise<void>
  private readonly pieces: Promise<Buffer>[] = []
  private filled: LineBuffer | undefined

  constructor(buffers: LineBuffer[], append: (pieces: readonly Buffer[]) => Promise<void>) {
    this.buffers = buffers
    this.append = append
  }

  /** Takes one or more lines, in UTF-8 when they come as bytes; the last one without its end. */
  add(lines: string | Uint8Array): void {
    this.filled ??= this.buffers.pop() ?? new LineBuffer()
    this.filled.add(lines)
    if (this.filled.bytes >= PIECE_BYTES) this.compressFilled()
  }

  /** Returns once the lines are on the disk. */
  async save(): Promise<void> {
    this.compressFilled()
    if (this.pieces.length > 0) await this.append(await Promise.all(this.pieces))
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
    this.buffer[needed - 1] = 0x0a
    this.bytes = needed
  }

  clear(): void {
    this.bytes = 0
  }
}

/** Puts the length of all pieces into the first one: they are one member for whoever reads. */
function withLength(pieces: readonly Buffer[]): Buffer[] {
  const [first = Buffer.alloc(0), ...others] = pieces
  const extra = Buffer.alloc(EXTRA)
  extra.writeUInt16LE(EXTRA - 2, 0)
  extra.write(SUBFIELD, 2, 'latin1')
  extra.writeUInt16LE(4, 4)
  extra.writeUInt32LE(
    pieces.reduce((sum, piece) => sum + piece.length, EXTRA),
    6,
  )
  const head = Buffer.from(first.subarray(0, FIXED_HEADER))
  head[FLAGS] = (head[FLAGS] ?? 0) | EXTRA_FLAG
  return [head, extra, first.subarray(FIXED_HEADER), ...others]
}

interface Span {
  readonly start: number
  readonly length: number
}

/** Reads the batches of a file in any order, one at a time. */
export class ArchiveReader {
  /** How many whole batches there are. */
  readonly count: number
  /** Something follows the last whole batch: the writer was stopped in the middle. */
  readonly isTorn: boolean
  private readonly file: FileHandle
  private readonly spans: readonly Span[]

  private constructor(file: FileHandle, spans: readonly Span[], size: number) {
    const last = spans.at(-1)
    this.file = file
    this.spans = spans
    this.count = spans.length
    this.isTorn = (last ? last.start + last.length : 0) < size
  }

  /** Opens the file and finds its batches. None at all: it is not an archive. */
  static async open(path: string): Promise<ArchiveReader> {
    const file = await open(path, 'r')
    const { size } = await file.stat()
    const spans: Span[] = []
    for (let start = 0; start < size; ) {
      const length = await batchLength(file, start)
      if (length === undefined || start + length > size) break
      spans.push({ start, length })
      start += length
    }
    return new ArchiveReader(file, spans, size)
  }

  /** Returns the lines of a batch; undefined when it is damaged. */
  async lines(number: number): Promise<string[] | undefined> {
    const span = this.spans[number]
    if (!span) return undefined
    const { buffer } = await this.file.read(Buffer.alloc(span.length), 0, span.length, span.start)
    try {
      return gunzipSync(buffer).toString('utf8').split('\n').slice(0, -1)
    } catch {
      return undefined
    }
  }

  async close(): Promise<void> {
    await this.file.close()
  }
}

async function batchLength(file: FileHandle, start: number): Promise<number | undefined> {
  const { buffer, bytesRead } = await file.read(
    Buffer.alloc(FIXED_HEADER + EXTRA),
    0,
    FIXED_HEADER + EXTRA,
    start,
  )
  const isOurs =
    bytesRead === FIXED_HEADER + EXTRA &&
    buffer.readUInt16BE(0) === 0x1f8b &&
    buffer.toString('latin1', FIXED_HEADER + 2, FIXED_HEADER + 4) === SUBFIELD
  return isOurs ? buffer.readUInt32LE(LENGTH_AT) : undefined
}
