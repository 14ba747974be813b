import { type FileHandle, open } from 'node:fs/promises'
import { gunzipSync } from 'node:zlib'
import { LINE_END } from '../line-buffer.ts'
import { findHead, HEAD_BYTES, headIn } from './archive-format.ts'

const SCAN_BYTES = 1024 * 1024

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
      const found = headIn(await bytesAt(file, start, HEAD_BYTES))
      if (found && start + found.length <= size) {
        spans.push({ start, ...found })
        start += found.length
        continue
      }
      // Behind damage it goes on with the next batch; where none comes, the last one was not written to its end.
      const next = await nextBatch(file, start + 1, size)
      if (next === undefined && (found || size - start < HEAD_BYTES))
        return new ArchiveReader(file, spans, true)
      spans.push({ start, length: (next ?? size) - start, lines: undefined })
      start = next ?? size
    }
    return new ArchiveReader(file, spans, false)
  }

  /** Returns the lines of a batch; undefined when it is damaged. */
  async lines(number: number): Promise<string[] | undefined> {
    const span = this.spans[number]
    if (span?.lines === undefined) return undefined
    const lines = linesIn(uncompressed(await bytesAt(this.file, span.start, span.length)))
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

/** Returns so many bytes from there on, fewer at the end of the file. */
async function bytesAt(file: FileHandle, start: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, start)
  return buffer.subarray(0, bytesRead)
}

/** Returns where the next batch begins, from there on. */
async function nextBatch(file: FileHandle, from: number, size: number): Promise<number | undefined> {
  for (let start = from; start < size; start += SCAN_BYTES - HEAD_BYTES) {
    const found = findHead(await bytesAt(file, start, SCAN_BYTES))
    if (found !== undefined) return start + found
  }
  return undefined
}
