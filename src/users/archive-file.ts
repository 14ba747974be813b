import { type FileHandle, open } from 'node:fs/promises'
import { gunzipSync, gzipSync } from 'node:zlib'

/**
 * An archive is a series of gzip members (RFC 1952), which `zcat` reads as one. Each is written and fsynced whole, and
 * says its own length in an extra field, so that the members can be found from the end, and a torn last one is known.
 */
const FLAGS = 3
const EXTRA_FLAG = 4
const FIXED_HEADER = 10
/** Length of the extra field, then one subfield: `UM`, its length, the length of the whole member. */
const EXTRA = 2 + 4 + 4
const LENGTH_AT = FIXED_HEADER + 2 + 4
const SUBFIELD = 'UM'

/** Appends members to a new file that only its owner may read. */
export class ArchiveWriter {
  private readonly file: FileHandle
  private readonly text = new LineBuffer()
  private last: Promise<void> = Promise.resolve()

  private constructor(file: FileHandle) {
    this.file = file
  }

  /** Creates the file. Throws the system's error when it cannot, or when it exists. */
  static async create(path: string): Promise<ArchiveWriter> {
    return new ArchiveWriter(await open(path, 'wx', 0o600))
  }

  /**
   * Returns once the lines, given without their ends, are on the disk. One after the other, whoever asks: a large member
   * takes several writes. After one that failed every other fails, for nothing that follows a torn member can be read.
   */
  append(lines: readonly string[]): Promise<void> {
    this.last = this.last.then(() => this.write(memberOf(this.text.of(lines))))
    return this.last
  }

  private async write(member: Buffer): Promise<void> {
    await this.file.appendFile(member)
    await this.file.datasync()
  }

  async close(): Promise<void> {
    await this.file.close()
  }
}

/** Room for text that is used again and again: new megabytes with every batch would pile up until they are collected. */
class LineBuffer {
  private buffer = Buffer.alloc(64 * 1024)

  /** Returns the lines with their ends in UTF-8; good until the next call. */
  of(lines: readonly string[]): Buffer {
    let used = 0
    for (const line of lines) {
      used += this.write(line, used)
      this.buffer[used++] = 0x0a
    }
    return this.buffer.subarray(0, used)
  }

  private write(line: string, at: number): number {
    // A UTF-16 unit takes three bytes at most.
    const needed = at + line.length * 3 + 1
    if (needed > this.buffer.length) {
      const larger = Buffer.alloc(needed * 2)
      this.buffer.copy(larger, 0, 0, at)
      this.buffer = larger
    }
    return this.buffer.write(line, at)
  }
}

function memberOf(text: Buffer): Buffer {
  const plain = gzipSync(text, { level: 1 })
  const extra = Buffer.alloc(EXTRA)
  extra.writeUInt16LE(EXTRA - 2, 0)
  extra.write(SUBFIELD, 2, 'latin1')
  extra.writeUInt16LE(4, 4)
  extra.writeUInt32LE(plain.length + EXTRA, 6)
  const member = Buffer.concat([plain.subarray(0, FIXED_HEADER), extra, plain.subarray(FIXED_HEADER)])
  member[FLAGS] = (member[FLAGS] ?? 0) | EXTRA_FLAG
  return member
}

interface Span {
  readonly start: number
  readonly length: number
}

/** Reads the members of a file in any order, one at a time. */
export class ArchiveReader {
  /** How many whole members there are. */
  readonly count: number
  /** Something follows the last whole member: the writer was stopped in the middle. */
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

  /** Opens the file and finds its members. No member at all: it is not an archive. */
  static async open(path: string): Promise<ArchiveReader> {
    const file = await open(path, 'r')
    const { size } = await file.stat()
    const spans: Span[] = []
    for (let start = 0; start < size; ) {
      const length = await memberLength(file, start)
      if (length === undefined || start + length > size) break
      spans.push({ start, length })
      start += length
    }
    return new ArchiveReader(file, spans, size)
  }

  /** Returns the lines of a member; undefined when it is damaged. */
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

async function memberLength(file: FileHandle, start: number): Promise<number | undefined> {
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
