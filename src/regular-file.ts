import { stat } from 'node:fs/promises'
import { UserError } from './errors.ts'

/**
 * Throws a UserError when the path leads to a pipe or a device: what is read more than once, or not from its beginning to
 * its end, would be empty or another one then. Whatever else is wrong with the path, opening it tells.
 */
export async function refuseIrregular(path: string): Promise<void> {
  const found = await stat(path).catch(() => undefined)
  if (!found || found.isFile() || found.isDirectory()) return
  throw new UserError(`${path} is no regular file`, {
    hint: 'it is read more than once: give the file itself, not a pipe or a device',
  })
}
