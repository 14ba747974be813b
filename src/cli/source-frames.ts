import { existsSync, readFileSync } from 'node:fs'

/** As V8 writes the place of a call, in brackets where the function has a name. */
const PLACE = /^ {4}at .*?([^\s()]+):(\d+):(\d+)\)?$/

/**
 * Returns the frames of a stack as places in the source, where a map tells which: the program is shipped minified, and
 * the names of its functions mean nothing.
 */
export function sourceFrames(frames: readonly string[]): string[] {
  return frames.map((frame) => {
    const [, file = '', line, column] = PLACE.exec(frame) ?? []
    return existsSync(`${file}.map`) ? `    at ${sourcePlace(file, Number(line), Number(column))}` : frame
  })
}

function sourcePlace(file: string, line: number, column: number): string {
  // Only a bug needs it, and to load it takes a while.
  const { SourceMap } = process.getBuiltinModule('node:module')
  const found = new SourceMap(JSON.parse(readFileSync(`${file}.map`, 'utf8'))).findOrigin(line, column)
  if (!('fileName' in found)) return `${file}:${line}:${column}`
  return `${found.fileName.replace(/^(\.\.\/)+/, '')}:${found.lineNumber}:${found.columnNumber}`
}
