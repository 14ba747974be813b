/** Between two lines. */
export const LINE_END = 0x0a

const USUAL_BYTES = 1024 * 1024
const LARGEST_BYTES = 4 * USUAL_BYTES

/** Room for text that is used again and again: new megabytes with every batch would pile up until they are collected. */
export class LineBuffer {
  /** How much of it is filled. */
  bytes = 0
  private buffer = Buffer.alloc(USUAL_BYTES)

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

  /** Returns how many lines there are after that place. */
  linesSince(start: number): number {
    let lines = 0
    for (let at = start; at < this.bytes; lines++) at = this.buffer.indexOf(LINE_END, at) + 1
    return lines
  }

  /** What was as large as that once need not be so again. */
  clear(): void {
    this.bytes = 0
    if (this.buffer.length > LARGEST_BYTES) this.buffer = Buffer.alloc(USUAL_BYTES)
  }
}
