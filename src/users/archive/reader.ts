import { type FileHandle, open } from 'node:fs/promises'
import { gunzipSync } from 'node:zlib'
import { LINE_END } from '../../line-buffer.ts'
import { type ArchiveContents, type ArchiveEnd, bytesAt, scanArchive } from './scan.ts'

/** How far an archive goes. */
export type ArchiveExtent = Pick<ArchiveReader, 'batches' | 'end'>

/** Reads the batches of a file in any order, one at a time. */
export class ArchiveReader {
  /** How many batches there should be, the header and those that are damaged or missing among them. */
  readonly count: number
  readonly end: ArchiveEnd
  /** There is more than one archive in the file. */
  readonly hasSeveral: boolean
  private readonly file: FileHandle
  private readonly spans: ArchiveContents['spans']

  private constructor(file: FileHandle, { spans, count, end, hasSeveral }: ArchiveContents) {
    this.file = file
    this.spans = spans
    this.count = count
    this.end = end
    this.hasSeveral = hasSeveral
  }

  /** Opens the file and finds its batches. None at all: it is not an archive. */
  static async open(path: string): Promise<ArchiveReader> {
    const file = await open(path, 'r')
    try {
      return new ArchiveReader(file, await scanArchive(file))
    } catch (error) {
      await file.close()
      throw error
    }
  }

  /** How many batches are there, damaged ones among them; without the header. */
  get batches(): number {
    return this.spans.size - (this.holds(0) ? 1 : 0)
  }

  /** True when the batch is there, be it damaged. */
  holds(number: number): boolean {
    return this.spans.has(number)
  }

  /** Returns the lines of a batch; undefined when it is damaged, or missing. */
  async lines(number: number): Promise<string[] | undefined> {
    const span = this.spans.get(number)
    if (!span) return undefined
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
