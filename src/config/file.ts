import { existsSync, readFileSync } from 'node:fs'
import { basename, dirname, extname, join } from 'node:path'
import { UserError } from '../errors.ts'
import { fileReason } from '../file-error.ts'
import type { Configured } from './configured.ts'

const NAMES = ['usermgmt.config.json', 'usermgmt.config.yaml', 'usermgmt.config.yml']

/** Returns the path of the configuration file in the directory, undefined when there is none. Throws a UserError when there are several. */
export function findConfigFile(directory: string): string | undefined {
  const found = NAMES.filter((name) => existsSync(join(directory, name)))
  if (found.length > 1) {
    throw new UserError(`there are several configuration files: ${found.join(', ')}`, {
      kind: 'invalid',
      hint: 'keep one, or choose it with --config',
    })
  }
  return found[0] === undefined ? undefined : join(directory, found[0])
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
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    throw new UserError(`the configuration file ${path} cannot be read: ${fileReason(cause)}`, { cause })
  }
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
