import { readFile } from 'node:fs/promises'
import { invalid, UserError } from '../errors.ts'
import { fileReason } from '../file-error.ts'
import { utf8In } from '../utf8.ts'

const HINT =
  'the SECRET_KEY of the site: mail.secret_key_file in the configuration file, --secret-key-file FILE, or USERMGMT_SECRET_KEY'

/**
 * Returns the site's SECRET_KEY from the file, else from the value of the environment; without one newline at its end.
 * Throws a UserError when there is none, or when it cannot be one.
 */
export async function secretKey(
  file: string | undefined,
  fromEnvironment: string | undefined,
): Promise<string> {
  if (file === undefined) {
    if (fromEnvironment === undefined) {
      throw invalid('a confirmation link is signed, and no key is given', HINT)
    }
    return checked(fromEnvironment, 'USERMGMT_SECRET_KEY')
  }
  const bytes = await readFile(file).catch((error: unknown) => {
    throw new UserError(`the secret key cannot be read from ${file}: ${fileReason(error)}`)
  })
  const text = utf8In(bytes, { ignoreBOM: true })
  if (text === undefined) throw invalid(`${file} is not UTF-8 text`, HINT)
  return checked(text, file)
}

function checked(text: string, source: string): string {
  const secret = text.replace(/\r?\n$/, '')
  if (secret.trim() === '') throw invalid(`${source} holds no secret key: it is empty`, HINT)
  // Whatever follows the key would be taken for a part of it, and no link would work.
  if (/[\r\n]/.test(secret)) throw invalid(`${source} holds more than one line`, HINT)
  if (/^\s*(export\s+)?\w*SECRET_KEY\s*=/.test(secret))
    throw invalid(`${source} holds an assignment, not the key alone`, HINT)
  return secret
}
