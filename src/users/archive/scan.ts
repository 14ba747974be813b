import type { FileHandle } from 'node:fs/promises'
import { damagedEndIn, MOST_END_BYTES } from './damaged-end.ts'
import { type BatchHead, findHead, HEAD_BYTES, headIn } from './format.ts'

const SCAN_BYTES = 1024 * 1024

/** Where a batch is. */
export interface Span {
  readonly start: number
  readonly length: number
  readonly lines: number
}

/**
 * How a file ends: with the record that its purge writes last, without it, or in the middle of a batch. Without it the
 * purge is still at work, was killed or failed, or the file was cut.
 */
export type ArchiveEnd = 'whole' | 'missing' | 'torn'

/** What the heads of a file's batches say. */
export interface ArchiveContents {
  /** The batches by their numbers, undefined for one whose head is damaged; one that is missing is not among them. */
  readonly spans: ReadonlyMap<number, Span | undefined>
  /** How many batches there should be, as far as the file tells: the numbers are less than that. */
  readonly count: number
  readonly end: ArchiveEnd
  /** The numbers begin again, or go on after the end. */
  readonly hasSeveral: boolean
}

/** Returns where the batches of a file are. None at all: it is not an archive. */
export async function scanArchive(file: FileHandle): Promise<ArchiveContents> {
  const { size } = await file.stat()
  const scan = new Scan()
  for (let start = 0; start < size; ) {
    const head = headIn(await bytesAt(file, start, HEAD_BYTES)) ?? (await damagedEndAt(file, start, size))
    if (head && start + head.length <= size) {
      scan.add(start, head)
      start += head.length
      continue
    }
    // After damage it goes on with the next batch.
    const next = await nextBatch(file, start + 1, size)
    if (next === undefined) scan.endIn(head, size - start)
    else scan.damaged += 1
    start = next ?? size
  }
  return scan
}

class Scan implements ArchiveContents {
  readonly spans = new Map<number, Span | undefined>()
  count = 0
  end: ArchiveEnd = 'missing'
  hasSeveral = false
  /** So many batches since the last whole one have no head that can be read, or more. */
  damaged = 0

  add(start: number, { length, lines, number, isEnd }: BatchHead): void {
    this.hasSeveral ||= this.end === 'whole' || number < this.count
    this.reach(number)
    if (isEnd) {
      this.end = 'whole'
      return
    }
    this.spans.set(number, { start, length, lines })
    this.count = number + 1
  }

  /** The rest of the file is no whole batch. */
  endIn(head: BatchHead | undefined, rest: number): void {
    if (this.end === 'whole') return
    // Of a batch that was not written to its end there is a head, or not even that.
    const isTorn = head !== undefined || rest < HEAD_BYTES
    if (isTorn && !head?.isEnd) this.end = 'torn'
    if (!isTorn) this.damaged += 1
    this.reach(head?.number ?? this.count + this.damaged)
  }

  /** Those between are damaged where there is something in their place, else missing. */
  private reach(number: number): void {
    for (let each = this.count; this.damaged > 0 && each < number; each++) this.spans.set(each, undefined)
    this.count = Math.max(this.count, number)
    this.damaged = 0
  }
}

/** Returns so many bytes from there on, fewer at the end of the file. */
export async function bytesAt(file: FileHandle, start: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, start)
  return buffer.subarray(0, bytesRead)
}

/** Returns what the end of the file says about itself when it is all that is left, and its head is damaged. */
async function damagedEndAt(file: FileHandle, start: number, size: number): Promise<BatchHead | undefined> {
  const left = size - start
  return left > MOST_END_BYTES ? undefined : damagedEndIn(await bytesAt(file, start, left))
}

/** Returns where the next batch begins, from there on. */
async function nextBatch(file: FileHandle, from: number, size: number): Promise<number | undefined> {
  for (let start = from; start < size; start += SCAN_BYTES - HEAD_BYTES) {
    const found = findHead(await bytesAt(file, start, SCAN_BYTES))
    if (found !== undefined) return start + found
  }
  return undefined
}
