import { type FileHandle, open, stat } from 'node:fs/promises'
import { promisify } from 'node:util'
import { gzip, type ZlibOptions } from 'node:zlib'
import { TooMuchAtOnce } from '../../db/errors.ts'
import type { PackedLines } from '../../db/port.ts'
import { LineBuffer } from '../../line-buffer.ts'
import { COMPRESSION, withHead } from './format.ts'

/** How much text is compressed at once, in bytes: by another thread, while the database is at work. */
const PIECE_BYTES = 512 * 1024

/** Somebody else has been at the file. `REMOVED`: nobody can open it any more. `CHANGED`: nobody can read it any more. */
class Disturbed extends Error {
  readonly code: 'REMOVED' | 'CHANGED'

  constructor(code: 'REMOVED' | 'CHANGED') {
    super(code)
    this.code = code
  }
}

const compress = promisify<Buffer, ZlibOptions, Buffer>(gzip)

/** Appends batches to a new file that only its owner may read. */
export class ArchiveWriter {
  private readonly file: FileHandle
  private readonly buffers: LineBuffer[] = []
  private last: Promise<void> = Promise.resolve()
  private written = 0
  private bytes = 0

  private constructor(file: FileHandle) {
    this.file = file
  }

  /** Creates the file. Throws the system's error when it cannot, or when it exists. */
  static async create(path: string): Promise<ArchiveWriter> {
    // At its end, wherever that is: a file that somebody has cut must not look as if it were as long as it should be.
    return new ArchiveWriter(await open(path, 'ax', 0o600))
  }

  /** How many batches are in the file. */
  get count(): number {
    return this.written
  }

  /** Returns a batch to be filled with so much text at most; nothing of it is in the file before it is saved. Several may be filled at once. */
  batch(mostBytes?: number): ArchiveBatch {
    return new ArchiveBatch(this.buffers, (pieces, lines) => this.append(pieces, lines, false), mostBytes)
  }

  /** Returns the batch after which nothing may follow. */
  endBatch(): ArchiveBatch {
    return new ArchiveBatch(this.buffers, (pieces, lines) => this.append(pieces, lines, true))
  }

  /**
   * One after the other, whoever asks: a large batch takes several writes. After one that failed every other fails, for
   * nothing that follows a torn batch can be read.
   */
  private append(pieces: readonly Buffer[], lines: number, isEnd: boolean): Promise<void> {
    this.last = this.last.then(() => this.write(pieces, lines, isEnd))
    return this.last
  }

  private async write(pieces: readonly Buffer[], lines: number, isEnd: boolean): Promise<void> {
    const members = Buffer.concat(withHead(pieces, { lines, number: this.written, isEnd }))
    await this.file.appendFile(members)
    await this.file.datasync()
    this.bytes += members.length
    const { nlink, size } = await this.file.stat()
    if (nlink === 0) throw new Disturbed('REMOVED')
    if (size !== this.bytes) throw new Disturbed('CHANGED')
    this.written += 1
  }

  /** True when the path leads to this file, not to another one and not to nothing. */
  async isAt(path: string): Promise<boolean> {
    const [own, there] = await Promise.all([this.file.stat(), stat(path).catch(() => undefined)])
    return there?.dev === own.dev && there.ino === own.ino
  }

  async close(): Promise<void> {
    await this.file.close()
  }
}

/** Lines that are written, and read again, together. */
export class ArchiveBatch {
  private readonly buffers: LineBuffer[]
  private readonly append: (pieces: readonly Buffer[], lines: number) => Promise<void>
  private readonly mostBytes: number
  private readonly pieces: Promise<Buffer>[] = []
  private filled: LineBuffer | undefined
  private lines = 0
  private bytes = 0

  constructor(
    buffers: LineBuffer[],
    append: (pieces: readonly Buffer[], lines: number) => Promise<void>,
    mostBytes = Number.POSITIVE_INFINITY,
  ) {
    this.buffers = buffers
    this.append = append
    this.mostBytes = mostBytes
  }

  /**
   * Takes one or more lines, in UTF-8 when they come as bytes; the last one without its end. Throws TooMuchAtOnce when
   * it has more by now than it may.
   */
  add(lines: string | Uint8Array): void {
    this.filled ??= this.buffers.pop() ?? new LineBuffer()
    const before = this.filled.bytes
    this.filled.add(lines)
    this.count(this.filled.bytes - before, this.filled.linesSince(before))
    if (this.filled.bytes >= PIECE_BYTES) this.compressFilled()
  }

  /** As `add`, for lines that are compressed already, the last one with its end. */
  addPacked({ member, bytes, lines }: PackedLines): void {
    this.compressFilled()
    this.pieces.push(Promise.resolve(Buffer.from(member.buffer, member.byteOffset, member.byteLength)))
    this.count(bytes, lines)
  }

  /** Returns once the lines are on the disk. */
  async save(): Promise<void> {
    this.compressFilled()
    if (this.pieces.length > 0) await this.append(await Promise.all(this.pieces), this.lines)
  }

  private count(bytes: number, lines: number): void {
    this.bytes += bytes
    this.lines += lines
    if (this.bytes > this.mostBytes) throw new TooMuchAtOnce()
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

/** In one go, not a few kilobytes at a time. */
function compressed({ text }: LineBuffer): Promise<Buffer> {
  return compress(text, { ...COMPRESSION, chunkSize: Math.max(PIECE_BYTES / 2, text.length / 2) })
}
