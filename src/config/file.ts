import { lstatSync, readFileSync } from 'node:fs'
import { basename, dirname, extname, join } from 'node:path'
import { invalid, UserError } from '../errors.ts'
import { fileReason } from '../file-error.ts'
import { utf8In } from '../utf8.ts'
import type { Configured } from './configured.ts'

const NAMES = ['usermgmt.config.json', 'usermgmt.config.yaml', 'usermgmt.config.yml']

/**
 * Returns the path of the configuration file in the directory, undefined when there is none. Throws a UserError when there
 * are several, and when nobody can tell.
 */
export function findConfigFile(directory: string): string | undefined {
  const found = NAMES.filter((name) => isThere(join(directory, name)))
  if (found.length > 1) {
    throw new UserError(`there are several configuration files: ${found.join(', ')}`, {
      kind: 'invalid',
      hint: 'keep one, or choose it with --config',
    })
  }
  return found[0] === undefined ? undefined : join(directory, found[0])
}

/** Also where a link leads nowhere: it may have led to a list of whom to protect, and reading it tells. */
function isThere(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined
  } catch (cause) {
    throw new UserError(
      `nobody can tell whether there is a configuration file ${path}: ${fileReason(cause)}`,
      {
        hint: 'go to another directory, or name the file with --config',
        cause,
      },
    )
  }
}

/** Returns the checked content. Throws a UserError when it cannot be read, or is not as it should be. */
export async function readConfigFile(path: string): Promise<Configured> {
  const text = textOf(path)
  const content = extname(path) === '.json' ? await fromJson(text, path) : await fromYaml(text, path)
  // The validator is large, and most runs have no file.
  const { checkConfig } = await import('./schema.ts')
  return checkConfig(content, { name: basename(path), directory: dirname(path) })
}

function textOf(path: string): string {
  let bytes: Buffer
  try {
    bytes = readFileSync(path)
  } catch (cause) {
    throw new UserError(`the configuration file ${path} cannot be read: ${fileReason(cause)}`, { cause })
  }
  const text = utf8In(bytes)
  if (text === undefined) throw invalid(`${basename(path)} is not a text in UTF-8`)
  return text
}

async function fromJson(text: string, path: string): Promise<unknown> {
  let content: unknown
  try {
    content = JSON.parse(text)
  } catch (error) {
    throw unparsable(path, 'JSON', error)
  }
  // Of two lists with one name, JSON.parse forgets the first: it may protect somebody.
  const { keyTwice } = await import('./yaml.ts')
  const place = keyTwice(text)
  if (place === undefined) return content
  throw new UserError(`${basename(path)} has a key twice: ${place}`, { kind: 'invalid' })
}

async function fromYaml(text: string, path: string): Promise<unknown> {
  const { parseYaml } = await import('./yaml.ts')
  try {
    // An empty file is an empty configuration.
    return parseYaml(text) ?? {}
  } catch (error) {
    throw unparsable(path, 'YAML', error)
  }
}

function unparsable(path: string, language: string, error: unknown): UserError {
  const [why] = error instanceof Error ? error.message.split('\n') : []
  return new UserError(`${basename(path)} is not ${language}: ${why?.replace(/:$/, '')}`, { kind: 'invalid' })
}
