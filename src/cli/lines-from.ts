import { resolve } from 'node:path'
import { invalid, UserError } from '../errors.ts'
import { fileReason } from '../file-error.ts'
import { utf8In } from '../utf8.ts'
import type { Context } from './context.ts'

interface LinesOptions {
  /** Whatever has written to standard input may have found nobody. */
  readonly pipeMayBeEmpty?: boolean
}

/**
 * Returns the lines of the files that an option names (`-`: standard input), each once, without blank ones and comments:
 * `#` at the beginning or after a space. Throws a UserError: `failed` when one cannot be read, `invalid` when it is binary
 * or has no line.
 */
export async function linesFrom(
  option: string,
  files: readonly string[],
  context: Context,
  options: LinesOptions = {},
): Promise<string[]> {
  const lines: string[][] = []
  for (const file of files) lines.push(await linesOf(option, file, context, options))
  return [...new Set(lines.flat())]
}

async function linesOf(
  option: string,
  file: string,
  context: Context,
  { pipeMayBeEmpty = false }: LinesOptions,
): Promise<string[]> {
  const shown = file === '-' ? 'standard input' : file
  const text = textOf(await bytesOf(option, file, context))
  if (text === undefined) throw invalid(`${option}: ${shown} is not a text file`, 'it has one user a line')
  const lines = text
    .split(/\r\n|[\r\n]/)
    .map((line) => line.replace(/(^|\s)#.*$/, '').trim())
    .filter((line) => line !== '')
  if (lines.length === 0 && !(pipeMayBeEmpty && file === '-'))
    throw invalid(`${option}: ${shown} names nobody`, 'it has one user a line; # begins a comment')
  return lines
}

/** Most commands read no such file, and to load what reads it takes a while. */
async function bytesOf(option: string, file: string, { stdin, cwd }: Context): Promise<Buffer> {
  if (file === '-') {
    const { buffer } = await import('node:stream/consumers')
    return buffer(stdin.stream)
  }
  const { readFile } = await import('node:fs/promises')
  return readFile(resolve(cwd, file)).catch((cause) => {
    throw new UserError(`${option}: ${file} cannot be read: ${fileReason(cause)}`, { cause })
  })
}

/** Undefined when the bytes are no text: an archive given by mistake must not become a list of ids. */
function textOf(bytes: Buffer): string | undefined {
  const text = utf8In(bytes)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: no text has these
  return text !== undefined && /[\u0000-\u0008\u000e-\u001f]/.test(text) ? undefined : text
}
