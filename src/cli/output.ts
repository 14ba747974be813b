import { fstatSync, statSync, writeSync } from 'node:fs'
import { UserError } from '../errors.ts'
import { fileReason } from '../file-error.ts'

/** A stream to write text to, with what the text depends on. */
export interface Output {
  readonly stream: NodeJS.WritableStream
  readonly isTerminal: boolean
  /** How many characters fit in a line of the terminal; a pseudo-terminal may say 0. */
  readonly columns: number
  /** Resolves when the text has been handed over, so nothing piles up. Throws ClosedOutput when the reader has gone. */
  write(text: string | Uint8Array): Promise<void>
}

/** The reader has gone: `usermgmt list | head`. Nobody is left to be told. */
export class ClosedOutput extends Error {
  override readonly name = 'ClosedOutput'
}

const USUAL_COLUMNS = 80

/** Returns the output onto a stream; `terminal` is how wide it is when it is one. */
export function outputTo(stream: NodeJS.WritableStream, terminal?: { columns: number | undefined }): Output {
  let failure: Error | undefined
  // Without a listener, a reader that has gone would end the process with a stack.
  stream.on('error', (error) => {
    failure = outputError(error)
  })

  return {
    stream,
    isTerminal: terminal !== undefined,
    columns: terminal?.columns || USUAL_COLUMNS,
    write: (text) =>
      new Promise((resolve, reject) => {
        if (failure) return reject(failure)
        stream.write(text, (error) => (error ? reject(outputError(error)) : resolve()))
      }),
  }
}

/**
 * Returns the output onto a file descriptor of the process. A file or a pipe is written to directly: to
 * load Node's streams takes longer than most commands write. For a terminal they do more than to write.
 */
export function outputOf(fd: number, streamOf: () => NodeJS.WriteStream): Output {
  if (mayBeTerminal(fd)) {
    const stream = streamOf()
    return outputTo(stream, stream.isTTY ? { columns: stream.columns } : undefined)
  }
  let waiting: Output | undefined
  return {
    get stream() {
      return streamOf()
    },
    isTerminal: false,
    columns: USUAL_COLUMNS,
    async write(text) {
      if (waiting) return waiting.write(text)
      const rest = writeNow(fd, text)
      if (rest.length === 0) return
      waiting = outputTo(streamOf())
      await waiting.write(rest)
    },
  }
}

/** Returns whether it is a character device, but for the one that is asked for often: what swallows everything. */
export function mayBeTerminal(fd: number): boolean {
  const found = fstatSync(fd)
  return found.isCharacterDevice() && found.rdev !== statSync('/dev/null', { throwIfNoEntry: false })?.rdev
}

/** Returns what could not be written: the pipe is full, and the program at its other end does not let anybody wait. */
function writeNow(fd: number, text: string | Uint8Array): Uint8Array {
  let rest = Buffer.from(text)
  try {
    while (rest.length > 0) rest = rest.subarray(writeSync(fd, rest))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw outputError(error as Error)
  }
  return rest
}

/** Node says ERR_STREAM_DESTROYED for each further write. */
function outputError(error: NodeJS.ErrnoException): Error {
  if (error.code === 'EPIPE' || error.code === 'ERR_STREAM_DESTROYED') return new ClosedOutput()
  return new UserError(`the output cannot be written: ${fileReason(error)}`)
}
